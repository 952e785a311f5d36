-- Keep which bytes a name in the graph meant.
INSERT INTO job_input (job_pk, position, value, hash, size_bytes)
SELECT pk, :position, :value, :hash, :size_bytes FROM job WHERE id = :id;
