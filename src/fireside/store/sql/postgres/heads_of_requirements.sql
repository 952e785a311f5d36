-- Read the first queued jobs of each user that ask for the same, given as a JSON list of [user, requirement].
SELECT job.id AS job_id, job.user_id, job.number, job.fingerprint, job.requirement_id, job.changed_at AS queued_at
FROM json_array_elements(:pairs) AS wanted (pair) CROSS JOIN LATERAL (
    SELECT * FROM job AS mine
    WHERE mine.user_id = (wanted.pair ->> 0)::integer AND mine.state = 'queued'
        AND mine.requirement_id = (wanted.pair ->> 1)::uuid
    ORDER BY number, pk LIMIT :per_pair
) AS job
ORDER BY job.user_id, job.number, job.pk;
