-- Note what an admin has done, and to whom: by name, or by a user's id.
INSERT INTO audit_entry (at, actor_id, actor, way, address, action, target, details)
VALUES (
    :at, :actor_id, :actor, :way, :address, :action,
    coalesce((SELECT name FROM "user" WHERE id = :target_id), :target), :details
) RETURNING id;
