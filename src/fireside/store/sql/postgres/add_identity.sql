-- Note who a user is at an issuer, unless they are deleted.
INSERT INTO identity (issuer, subject, user_id, created_at)
SELECT :issuer, :subject, id, :now FROM "user" WHERE id = :user_id AND deleted_at IS NULL RETURNING user_id;
