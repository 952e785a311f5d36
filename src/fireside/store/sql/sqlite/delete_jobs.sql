-- Remove some ended jobs of a user, with all that hangs on them.
-- The plus keeps the planner from reading the whole history in the order of its ends.
DELETE FROM job WHERE id IN (SELECT unhex(value) FROM json_each(:ids)) AND +user_id = :user_id AND +ended_at IS NOT NULL
RETURNING id;
