-- Look whether an invitation can still be used.
SELECT * FROM invitation WHERE digest = :digest AND expires_at > :now;
