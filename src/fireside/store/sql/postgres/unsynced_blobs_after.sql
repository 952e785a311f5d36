-- Read a few blobs whose bytes are kept, in the order of their hashes.
SELECT hash, content FROM unsynced_blob WHERE hash > :after ORDER BY hash LIMIT :limit;
