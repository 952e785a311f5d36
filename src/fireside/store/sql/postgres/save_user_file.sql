-- Record a file at a path; one that was there keeps the time it was made.
INSERT INTO user_file (user_id, path, folder, hash, size_bytes, created_at, modified_at, interface)
VALUES (:user_id, :path, :folder, :hash, :size_bytes, :created_at, :modified_at, :interface)
ON CONFLICT (user_id, path) DO UPDATE
SET hash = excluded.hash, size_bytes = excluded.size_bytes, modified_at = excluded.modified_at
RETURNING *;
