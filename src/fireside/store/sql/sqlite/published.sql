-- Read publications of a topic by their hashes.
SELECT hash, body FROM published WHERE topic = :topic AND hash IN (SELECT value FROM json_each(:hashes));
