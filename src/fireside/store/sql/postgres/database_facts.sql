-- Say what this database is, how large, and which form our tables have in it.
SELECT 'PostgreSQL' AS name, current_setting('server_version') AS version,
    pg_database_size(current_database()) AS size_bytes, (SELECT max(version) FROM schema_version) AS schema;
