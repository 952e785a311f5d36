-- Let nobody be this user by an OpenID provider any more.
DELETE FROM identity WHERE user_id = :user_id;
