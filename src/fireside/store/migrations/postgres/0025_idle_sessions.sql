-- online: sessions that nobody uses are found without looking at all.
CREATE INDEX CONCURRENTLY IF NOT EXISTS session_use ON session (seen_at);
