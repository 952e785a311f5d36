-- Read how many of a user's jobs wait, and how many workers hold.
SELECT queued, held FROM user_share WHERE user_id = :user_id;
