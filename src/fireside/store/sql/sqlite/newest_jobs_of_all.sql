-- Read jobs of all users that came before a place in their common order, newest first.
SELECT * FROM job INDEXED BY job_created WHERE (created_at, pk) < (:before_us, :before_pk)
ORDER BY created_at DESC, pk DESC LIMIT :limit;
