-- Add a task, due at once.
INSERT INTO task (id, user_id, name, key, payload, status, due_at, created_at, changed_at, bytes_total)
VALUES (:id, :user_id, :name, :key, :payload, 'created', :now, :now, :now, :bytes_total) RETURNING *;
