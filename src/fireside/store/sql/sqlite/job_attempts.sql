-- Read the attempts at a job, and what their workers ran.
SELECT attempt, worker_id, assigned_at, job_attempt.started_at, job_attempt.ended_at, outcome, published.body AS snapshot
FROM job_attempt LEFT JOIN published ON published.topic = 'snapshot' AND published.hash = job_attempt.snapshot_hash
WHERE job_pk = (SELECT pk FROM job WHERE id = :id) ORDER BY attempt;
