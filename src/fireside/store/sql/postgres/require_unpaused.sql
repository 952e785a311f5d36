-- Find out whether jobs of a user may be handed out.
SELECT 1 AS may WHERE NOT EXISTS (SELECT 1 FROM pause WHERE user_id IN (0, :user_id));
