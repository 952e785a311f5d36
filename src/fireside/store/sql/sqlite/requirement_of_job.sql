-- Read what a job asks of a worker; nothing for one that asks for nothing.
SELECT requirement.id, body FROM requirement JOIN job ON job.requirement_id = requirement.id WHERE job.id = :id;
