-- Read which client a job was submitted by, if it said.
SELECT client_id FROM job JOIN job_body ON job_pk = pk WHERE id = :id;
