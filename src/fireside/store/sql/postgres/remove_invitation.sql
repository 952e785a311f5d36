-- Take an invitation back.
DELETE FROM invitation WHERE id = :id RETURNING id;
