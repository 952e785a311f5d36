-- Say which job one waits for because that makes the same.
SELECT awaited.id FROM job JOIN equal_job AS mine ON mine.job_pk = job.pk AND mine.requirement_id IS NOT NULL
JOIN equal_job AS first ON first.work = mine.work AND first.user_id = mine.user_id AND first.requirement_id IS NULL
JOIN job AS awaited ON awaited.pk = first.job_pk
WHERE job.id = :id;
