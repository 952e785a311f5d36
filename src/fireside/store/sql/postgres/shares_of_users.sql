-- Read the shares of some users, given as a JSON list of their numbers.
SELECT user_id, weight, max_running, virtual_time, queued, held
FROM user_share JOIN "user" ON "user".id = user_id
WHERE user_id IN (SELECT value::integer FROM json_array_elements_text(:user_ids)) ORDER BY user_id;
