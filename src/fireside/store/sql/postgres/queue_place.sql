-- Say at which place of its user's queue a job waits, the first one at 1; nothing of one that does not wait.
SELECT 1 + (
    SELECT count(*) FROM job AS other WHERE other.user_id = job.user_id AND other.state = 'queued'
        AND (other.number, other.pk) < (job.number, job.pk)
) AS place FROM (SELECT user_id, number, pk, state FROM job WHERE id = :id OFFSET 0) AS job WHERE state = 'queued';
