-- Remember what a worker publishes; what is remembered already stays as it is.
INSERT INTO published (topic, hash, body, published_at) VALUES (:topic, :hash, :body, :now)
ON CONFLICT (topic, hash) DO NOTHING;
