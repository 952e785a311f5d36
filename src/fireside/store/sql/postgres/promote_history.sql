-- Begin to count a history in blocks.
INSERT INTO job_promoted (user_id, workflow) VALUES (:user_id, :workflow) ON CONFLICT DO NOTHING;
