-- Note how the fleet is, and how many jobs wait; within a few minutes the most counts.
INSERT INTO fleet_sample (slot, at, workers, busy, waiting)
SELECT :slot, :at, :workers, :busy, coalesce(sum(queued), 0) FROM user_share WHERE queued > 0 OR held > 0
ON CONFLICT (slot) DO UPDATE SET
    workers = max(workers, excluded.workers), busy = max(busy, excluded.busy), waiting = max(waiting, excluded.waiting);
