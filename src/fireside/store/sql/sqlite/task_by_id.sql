-- Read a task of the user.
SELECT * FROM task WHERE id = :id AND user_id = :user_id;
