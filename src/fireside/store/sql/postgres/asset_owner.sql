-- Ask whether an id is taken, by whomever.
SELECT user_id FROM asset WHERE id = :id;
