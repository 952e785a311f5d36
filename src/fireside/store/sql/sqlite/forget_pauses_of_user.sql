-- Forget the pauses of a user.
DELETE FROM pause WHERE user_id = :user_id;
