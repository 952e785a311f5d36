-- Remember whose key on the bus is worth nothing any more.
INSERT INTO removed_worker (number, worker_id, removed_at, key_ends_at) VALUES (:number, :worker_id, :now, :key_ends_at);
