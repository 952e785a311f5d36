-- Remove tasks that ended long ago.
DELETE FROM task WHERE ended_at < :before;
