-- online: Jobs of all users in the order in which they came.
CREATE INDEX CONCURRENTLY IF NOT EXISTS job_created ON job (created_at, pk);
