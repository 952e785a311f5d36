-- Note the labels of a job where they are looked up; they come as a JSON object of texts.
INSERT INTO job_label (job_pk, key, value)
SELECT pk, json_each.key, json_each.value FROM job CROSS JOIN json_each(:labels) WHERE job.id = :id;
