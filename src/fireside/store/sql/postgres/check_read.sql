-- Ask whether the database reads.
SELECT checks FROM health;
