-- Forget that these jobs make the same: each goes for itself.
DELETE FROM equal_job WHERE work = :work AND user_id = :user_id;
