-- Read the histories whose run times are not all counted in blocks: below which they are, and how many jobs there are.
SELECT user_id, workflow, runs_below, (
    SELECT coalesce(sum(n), 0) FROM job_total
    WHERE job_total.user_id = job_promoted.user_id AND job_total.workflow = job_promoted.workflow
) AS jobs
FROM job_promoted WHERE runs_below < :all_runs;
