-- Forget the tasks of a user.
DELETE FROM task WHERE user_id = :user_id;
