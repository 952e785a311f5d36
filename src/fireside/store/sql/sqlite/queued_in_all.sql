-- Count the jobs of all users that wait.
SELECT coalesce(sum(queued), 0) AS n FROM user_share WHERE queued > 0 OR held > 0;
