-- Let a worker in.
INSERT INTO enrollment (worker_id, digest, join_token_id, protocol, version, is_transient, enrolled_at)
VALUES (:worker_id, :digest, :join_token_id, :protocol, :version, :is_transient, :now) RETURNING *;
