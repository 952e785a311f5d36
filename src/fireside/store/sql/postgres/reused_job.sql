-- Say from which job a job took its outputs.
SELECT reused_id FROM job_work JOIN job ON job.pk = job_work.job_pk WHERE job.id = :id;
