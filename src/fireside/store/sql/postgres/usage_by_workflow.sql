-- Read what a user has used in some months, by workflow, the dearest first.
SELECT user_id, month, workflow, jobs, gpu_us, made_bytes FROM usage_workflow
WHERE user_id = :user_id AND month BETWEEN :first AND :last ORDER BY gpu_us DESC, workflow, month LIMIT :limit;
