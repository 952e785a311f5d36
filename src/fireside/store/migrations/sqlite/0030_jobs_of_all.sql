-- Jobs of all users in the order in which they came.
CREATE INDEX job_created ON job (created_at);
