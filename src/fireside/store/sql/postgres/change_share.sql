-- Count a job's change, and charge the user for its service; give how the user stands since.
UPDATE user_share SET
    queued = queued + :queued::bigint, held = held + :held::bigint,
    virtual_time = virtual_time + :charge::double precision / (SELECT weight FROM "user" WHERE id = user_id)
WHERE user_id = :user_id
RETURNING user_id, virtual_time, queued, held,
    (SELECT weight FROM "user" WHERE id = user_id) AS weight, (SELECT max_running FROM "user" WHERE id = user_id) AS max_running;
