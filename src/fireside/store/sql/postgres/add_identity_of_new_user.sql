-- Note who the user who was just added is at an issuer.
INSERT INTO identity (issuer, subject, user_id, created_at)
SELECT :issuer, :subject, id, :now FROM "user" WHERE name = :name RETURNING user_id;
