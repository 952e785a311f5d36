-- Record a file.
INSERT INTO asset (
    id, user_id, folder, subfolder, name, hash, size_bytes, content_type, created_at,
    job_id, node_id, output_key, output_index
) VALUES (
    :id, :user_id, :folder, :subfolder, :name, :hash, :size_bytes, :content_type, :created_at,
    :job_id, :node_id, :output_key, :output_index
) RETURNING *;
