-- Read a window of all of a user's jobs, oldest first.
SELECT * FROM job WHERE pk >= :user_id << 40 AND pk < (:user_id + 1) << 40 ORDER BY pk LIMIT :limit OFFSET :offset;
