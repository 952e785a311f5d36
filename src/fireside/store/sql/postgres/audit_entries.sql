-- Read a page of what admins have done, the newest first.
SELECT * FROM audit_entry
WHERE id < :before AND (:actor = '' OR actor = :actor)
ORDER BY id DESC LIMIT :limit;
