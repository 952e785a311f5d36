-- Read the clock of the database.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS at;
