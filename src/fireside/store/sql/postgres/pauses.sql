-- Read all pauses.
SELECT * FROM pause ORDER BY user_id, origin;
