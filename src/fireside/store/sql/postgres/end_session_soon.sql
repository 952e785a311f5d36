-- Let a session end a little later: requests with its token are under way.
UPDATE session SET expires_at = :end_at WHERE digest = :digest AND expires_at > :end_at;
