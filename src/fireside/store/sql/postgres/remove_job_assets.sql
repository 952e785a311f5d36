-- Forget the files of an attempt that did not count.
DELETE FROM asset WHERE job_id = :id;
