-- Read where the jobs with a label are in create order, the newest first, below a bound.
SELECT job_pk FROM job_label
WHERE key = :key AND value = :value AND job_pk >= :first AND job_pk < :bound
ORDER BY job_pk DESC LIMIT :limit OFFSET :offset;
