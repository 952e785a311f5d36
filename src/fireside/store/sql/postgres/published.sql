-- Read publications of a topic by their hashes.
SELECT hash, body FROM published
WHERE topic = :topic AND hash = ANY (ARRAY(SELECT value FROM json_array_elements_text(:hashes) AS names (value)));
