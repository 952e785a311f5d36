-- Read who a user is at OpenID providers, in the order in which that was noted.
SELECT issuer, subject, created_at FROM identity WHERE user_id = :user_id ORDER BY created_at, subject;
