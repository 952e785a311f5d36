-- Record a file as the user's newest; create times never run backwards.
INSERT INTO asset (
    pk, place, id, user_id, folder, subfolder, name, title, folded, tag_set, tags, hash, size_bytes, content_type, mime_type,
    user_metadata, preview_id, created_at, updated_at, accessed_at, expires_at, job_id, node_id, output_key, output_index
)
SELECT (:user_id << 40) + coalesce(last.place, 0) + 1, coalesce(last.place, 0) + 1, :id, :user_id, :folder, :subfolder,
    :name, :title, :folded, :tag_set, :tags, :hash, :size_bytes, :content_type, :mime_type, :user_metadata, :preview_id,
    max(:created_at, coalesce(last.created_at, 0)), :updated_at, :accessed_at, :expires_at,
    :job_id, :node_id, :output_key, :output_index
FROM (SELECT 1) AS one LEFT JOIN (
    SELECT place, created_at FROM asset WHERE pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
    ORDER BY pk DESC LIMIT 1
) AS last
RETURNING *;
