-- Forget the bytes of blobs that are on the disk, unless they have been kept anew since.
DELETE FROM unsynced_blob WHERE hash IN (SELECT one.value FROM json_each(:hashes) AS one) AND kept_at < :kept_at;
