-- Count a job's change, and charge the user for its service.
UPDATE user_share SET
    queued = queued + :queued::bigint, held = held + :held::bigint,
    virtual_time = virtual_time + :charge::double precision / (SELECT weight FROM "user" WHERE id = user_id)
WHERE user_id = :user_id;
