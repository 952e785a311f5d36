-- Read the clock of the database.
SELECT CAST(round((julianday('now') - 2440587.5) * 86400000000) AS INTEGER) AS at;
