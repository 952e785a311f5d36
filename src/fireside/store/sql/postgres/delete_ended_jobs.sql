-- Remove all ended jobs of a user, with all that hangs on them.
DELETE FROM job WHERE pk >= :user_id::bigint << 40 AND pk < (:user_id::bigint + 1) << 40 AND class NOT IN (0, 1)
RETURNING id;
