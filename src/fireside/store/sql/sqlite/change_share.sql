-- Count a job's change, and charge the user for its service.
UPDATE user_share SET
    queued = queued + :queued, held = held + :held,
    virtual_time = virtual_time + :charge / (SELECT weight FROM user WHERE id = user_id)
WHERE user_id = :user_id;
