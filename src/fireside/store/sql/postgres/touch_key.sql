-- Note when a key was last used.
UPDATE api_key SET last_used_at = greatest(last_used_at, :at) WHERE id = :id;
