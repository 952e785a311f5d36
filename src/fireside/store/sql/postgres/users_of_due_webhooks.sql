-- Say whose webhooks may be tried.
SELECT DISTINCT user_id FROM webhook WHERE due_at IS NOT NULL AND due_at <= :now;
