-- Remove some ended jobs of a user, with all that hangs on them.
DELETE FROM job WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) AND user_id = :user_id AND ended_at IS NOT NULL
RETURNING id;
