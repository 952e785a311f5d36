-- Note when a session was last used.
UPDATE session SET seen_at = :at WHERE digest = :digest AND seen_at < :at;
