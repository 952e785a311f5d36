-- Read what bytes a few assets have, by their hash, and of what type they are.
SELECT hash, min(content_type) AS content_type
FROM (SELECT hash, content_type FROM asset WHERE hash > :after ORDER BY hash LIMIT :limit) AS few
GROUP BY hash ORDER BY hash;
