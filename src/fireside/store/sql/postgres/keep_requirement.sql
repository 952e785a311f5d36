-- Keep what a job asks of a worker; what is kept already stays as it is.
INSERT INTO requirement (id, body) VALUES (:requirement_id, :body) ON CONFLICT (id) DO NOTHING;
