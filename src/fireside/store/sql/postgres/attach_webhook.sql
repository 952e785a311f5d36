-- Let the webhook of a URL hear of a job.
INSERT INTO job_webhook (job_pk, webhook_pk)
SELECT job.pk, webhook.pk FROM job JOIN webhook ON webhook.user_id = job.user_id AND webhook.url = :url
WHERE job.id = :job_id;
