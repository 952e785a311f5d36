-- Note how the fleet is, and how many jobs wait; within a few minutes the most counts.
INSERT INTO fleet_sample (slot, at, workers, busy, waiting)
SELECT :slot::bigint, :at::bigint, :workers::bigint, :busy::bigint, coalesce(sum(queued), 0)::bigint
FROM user_share WHERE queued > 0 OR held > 0
ON CONFLICT (slot) DO UPDATE SET
    workers = greatest(fleet_sample.workers, excluded.workers), busy = greatest(fleet_sample.busy, excluded.busy),
    waiting = greatest(fleet_sample.waiting, excluded.waiting);
