-- Read whose keys on the bus are worth nothing any more.
SELECT * FROM removed_worker ORDER BY number;
