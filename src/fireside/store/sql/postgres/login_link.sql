-- Look whether a login link can still be used.
SELECT "user".* FROM login_link JOIN "user" ON "user".id = login_link.user_id
WHERE digest = :digest AND sets_password = :sets_password AND expires_at > :now;
