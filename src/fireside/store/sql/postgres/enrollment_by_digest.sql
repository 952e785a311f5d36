-- Find the worker that has this credential.
SELECT * FROM enrollment WHERE digest = :digest;
