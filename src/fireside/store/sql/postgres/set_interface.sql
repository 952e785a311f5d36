-- Say beside a file what its workflow takes and gives by name, or nothing any more, unless the file has changed.
UPDATE user_file SET interface = :interface WHERE user_id = :user_id AND path = :path AND hash = :hash RETURNING *;
