-- Take an invitation away, so that nobody can use it again.
DELETE FROM invitation WHERE digest = :digest AND expires_at > :now;
