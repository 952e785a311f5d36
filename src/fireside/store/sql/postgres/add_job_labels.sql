-- Note the labels of a job where they are looked up; they come as a JSON object of texts.
INSERT INTO job_label (job_pk, key, value)
SELECT pk, label.key, label.value FROM job CROSS JOIN json_each_text(:labels::json) AS label WHERE job.id = :id;
