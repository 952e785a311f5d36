-- Note when a key was last used.
UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), :at) WHERE id = :id;
