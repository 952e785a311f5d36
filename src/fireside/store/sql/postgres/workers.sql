-- Read all workers that ever joined.
SELECT * FROM worker ORDER BY id;
