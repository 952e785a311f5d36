-- Add a model that workers may fetch.
INSERT INTO model (folder, name, hash, size_bytes, source_url, created_at)
VALUES (:folder, :name, :hash, :size_bytes, :source_url, :now) RETURNING *;
