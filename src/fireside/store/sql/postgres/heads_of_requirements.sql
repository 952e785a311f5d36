-- Read the first queued jobs of each user that ask for the same, given as a JSON list of [user, requirement].
SELECT job.*, run_estimate.seconds AS estimate_seconds
FROM json_array_elements(:pairs) AS wanted (pair) CROSS JOIN LATERAL (
    SELECT * FROM job AS mine
    WHERE mine.user_id = (wanted.pair ->> 0)::integer AND mine.state = 'queued'
        AND mine.requirement_id = (wanted.pair ->> 1)::uuid
    ORDER BY number, pk LIMIT :per_pair
) AS job LEFT JOIN run_estimate ON run_estimate.fingerprint = job.fingerprint
ORDER BY job.user_id, job.number, job.pk;
