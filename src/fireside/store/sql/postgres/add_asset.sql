-- Record a file as the user's newest; create times never run backwards.
INSERT INTO asset (
    pk, place, id, user_id, folder, subfolder, name, title, folded, tag_set, tags, hash, size_bytes, content_type, mime_type,
    user_metadata, preview_id, created_at, updated_at, accessed_at, expires_at, job_id, node_id, output_key, output_index
)
SELECT (:user_id::bigint << 40) + coalesce(last.place, 0) + 1, coalesce(last.place, 0) + 1, :id::uuid, :user_id::integer,
    :folder, :subfolder, :name, :title, :folded, :tag_set::integer, :tags, :hash, :size_bytes::bigint, :content_type,
    :mime_type, :user_metadata::bytea, :preview_id::uuid, greatest(:created_at::bigint, coalesce(last.created_at, 0)),
    :updated_at::bigint, :accessed_at::bigint, :expires_at::bigint,
    :job_id::uuid, :node_id, :output_key, :output_index::bigint
FROM (SELECT 1) AS one LEFT JOIN (
    SELECT place, created_at FROM asset
    WHERE pk BETWEEN :user_id::bigint << 40 AND (:user_id::bigint << 40) + 1099511627775
    ORDER BY pk DESC LIMIT 1
) AS last ON true
RETURNING *;
