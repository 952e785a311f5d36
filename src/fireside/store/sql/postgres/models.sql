-- Read all models that workers may fetch.
SELECT * FROM model ORDER BY folder, name;
