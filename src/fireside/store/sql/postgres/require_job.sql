-- Ask whether a job is still as it was read.
SELECT pk FROM job WHERE id = :id AND state = :state AND fence = :fence;
