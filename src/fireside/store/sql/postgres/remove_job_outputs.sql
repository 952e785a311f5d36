-- Forget what the nodes of an attempt that did not count have shown.
DELETE FROM job_output WHERE job_pk = (SELECT pk FROM job WHERE id = :id);
