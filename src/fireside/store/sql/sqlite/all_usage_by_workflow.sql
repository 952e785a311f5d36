-- Read what everybody has used in some months, by user and workflow, the dearest first.
SELECT user_id, month, workflow, jobs, gpu_us, made_bytes
FROM user CROSS JOIN usage_workflow ON user_id = user.id AND month BETWEEN :first AND :last
ORDER BY gpu_us DESC, user_id, workflow, month LIMIT :limit;
