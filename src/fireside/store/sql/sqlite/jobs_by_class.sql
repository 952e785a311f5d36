-- Count the jobs of all users by class, from the totals of each; CROSS JOIN looks these up and reads no totals of workflows.
SELECT class, sum(n) AS n FROM user CROSS JOIN job_total ON job_total.user_id = user.id AND workflow = ''
GROUP BY class;
