-- Find the user of a session that has not expired and was used not too long ago, and when that was noted.
SELECT user.*, session.seen_at AS session_seen_at, session.created_at AS session_created_at
FROM session JOIN user ON user.id = session.user_id
WHERE digest = :digest AND expires_at > :now AND seen_at > :idle_at;
