-- Remove some ended jobs of a user, with all that hangs on them.
DELETE FROM job WHERE id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text(:ids) AS ids (value)))
    AND user_id = :user_id AND ended_at IS NOT NULL
RETURNING id;
