-- Read the number that the user's next job gets; one for the front gets its negative.
SELECT next_number FROM user_share WHERE user_id = :user_id;
