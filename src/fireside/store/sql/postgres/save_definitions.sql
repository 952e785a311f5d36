-- Remember node definitions as the newest of their runtime.
INSERT INTO definition_set (hash, runtime, body, publication, published_at)
VALUES (:hash, :runtime, :body, (SELECT coalesce(max(publication), 0) + 1 FROM definition_set), :now)
ON CONFLICT (hash) DO UPDATE SET
    runtime = excluded.runtime, publication = excluded.publication, published_at = excluded.published_at;
