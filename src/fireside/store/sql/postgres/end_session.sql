-- End a session.
DELETE FROM session WHERE digest = :digest;
