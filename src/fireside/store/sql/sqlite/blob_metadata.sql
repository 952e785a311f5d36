-- Read what some bytes say of themselves, if anything is known.
SELECT hash, metadata FROM blob_metadata WHERE hash IN (SELECT one.value FROM json_each(:hashes) AS one);
