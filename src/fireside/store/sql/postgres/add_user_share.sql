-- Begin the share and the counters of a new user.
INSERT INTO user_share (user_id) SELECT id FROM "user" WHERE name = :name;
