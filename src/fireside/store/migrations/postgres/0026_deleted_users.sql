-- A user who is deleted is a row without a name that was theirs; what they had goes in small steps. The share goes last.
ALTER TABLE "user" ADD COLUMN deleted_at bigint;
