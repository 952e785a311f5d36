-- Note which job another one took its outputs from; from now on it stands for what ran that one, too.
UPDATE job_work SET snapshot_hash = :snapshot_hash, models = :models, reused_id = :reused_id
WHERE job_pk = (SELECT pk FROM job WHERE id = :id);
