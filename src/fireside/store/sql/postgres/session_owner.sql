-- Find the user of a session that has not expired.
SELECT "user".* FROM session JOIN "user" ON "user".id = session.user_id WHERE digest = :digest AND expires_at > :now;
