-- Read the first queued jobs of each user that ask for the same, given as a JSON list of [user, requirement].
SELECT job.*, run_estimate.seconds AS estimate_seconds
FROM json_each(:pairs) AS file CROSS JOIN job ON job.pk IN (
    SELECT pk FROM job AS mine
    WHERE mine.user_id = json_extract(file.value, '$[0]') AND mine.state = 'queued'
        AND mine.requirement_id = unhex(json_extract(file.value, '$[1]'))
    ORDER BY number, pk LIMIT :per_pair
) LEFT JOIN run_estimate ON run_estimate.fingerprint = job.fingerprint
ORDER BY job.user_id, job.number, job.pk;
