-- Take away all login links of a user.
DELETE FROM login_link WHERE user_id = :user_id;
