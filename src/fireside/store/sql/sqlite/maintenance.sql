-- Read whether the servers are in maintenance.
SELECT * FROM maintenance WHERE id = 1;
