-- Delete a user, unless they are the last admin; the name is free for others from then on.
UPDATE "user" SET name = '~' || id, role = 'member', password_hash = NULL, deleted_at = :now
WHERE id = :id AND deleted_at IS NULL
    AND (role <> 'admin' OR EXISTS (SELECT 1 FROM "user" AS other WHERE other.role = 'admin' AND other.id <> :id))
RETURNING id;
