-- End all sessions of a user.
DELETE FROM session WHERE user_id = :user_id;
