-- Find the user who is this subject at this issuer.
SELECT u.* FROM identity JOIN user AS u ON u.id = identity.user_id
WHERE issuer = :issuer AND subject = :subject AND u.deleted_at IS NULL;
