-- Say what the queued jobs of these users ask for, each once, by leaps through the index and not past every job.
WITH RECURSIVE page (user_id, requirement_id) AS (
    SELECT file.value, (
        SELECT requirement_id FROM job WHERE job.user_id = file.value AND state = 'queued'
        ORDER BY requirement_id LIMIT 1
    ) FROM json_each(:user_ids) AS file
    UNION ALL
    SELECT page.user_id, (
        SELECT requirement_id FROM job
        WHERE job.user_id = page.user_id AND state = 'queued' AND job.requirement_id > page.requirement_id
        ORDER BY requirement_id LIMIT 1
    ) FROM page WHERE page.requirement_id IS NOT NULL
)
SELECT user_id, requirement_id FROM page WHERE requirement_id IS NOT NULL ORDER BY user_id, requirement_id;
