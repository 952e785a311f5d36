-- Keep the heavy parts of a submit.
INSERT INTO job_body (job_pk, graph, extra_data, outputs, client_id, sealed_secrets)
SELECT pk, :graph, :extra_data, :outputs, :client_id, :sealed_secrets FROM job WHERE id = :id;
