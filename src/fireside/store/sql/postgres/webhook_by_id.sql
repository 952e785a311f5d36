-- Read a webhook of the user.
SELECT * FROM webhook WHERE pk = :id AND user_id = :user_id;
