-- Count the keys that are good for ever.
SELECT count(*) AS keys FROM api_key WHERE revoked_at IS NULL AND expires_at IS NULL;
