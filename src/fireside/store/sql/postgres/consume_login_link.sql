-- Take a login link away, so that nobody can use it again.
DELETE FROM login_link WHERE digest = :digest AND sets_password = :sets_password RETURNING user_id, expires_at;
