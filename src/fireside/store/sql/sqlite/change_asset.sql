-- Write what of an asset can change.
UPDATE asset SET title = :title, folded = :folded, tag_set = :tag_set, tags = :tags, mime_type = :mime_type,
    user_metadata = :user_metadata, preview_id = :preview_id, expires_at = :expires_at, updated_at = :updated_at
WHERE id = :id RETURNING *;
