-- Count the jobs of all users by class, from the totals of each; OFFSET looks these up and reads no totals of workflows.
SELECT class, sum(n)::bigint AS n FROM "user" CROSS JOIN LATERAL (
    SELECT class, n FROM job_total WHERE job_total.user_id = "user".id AND workflow = '' OFFSET 0
) AS total GROUP BY class;
