-- Say what this database is, how large, and which form our tables have in it.
SELECT 'SQLite' AS name, sqlite_version() AS version,
    (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()) AS size_bytes,
    (SELECT max(version) FROM schema_version) AS schema;
