-- Name a few blobs whose bytes have been kept since before a time, the oldest first.
SELECT hash FROM unsynced_blob WHERE kept_at < :kept_at ORDER BY kept_at LIMIT :limit;
