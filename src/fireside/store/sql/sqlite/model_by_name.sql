-- Find a model that workers may fetch.
SELECT * FROM model WHERE folder = :folder AND name = :name;
