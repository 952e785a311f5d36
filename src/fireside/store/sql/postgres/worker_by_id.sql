-- Read a worker.
SELECT * FROM worker WHERE id = :id;
