-- Keep what a node has shown.
INSERT INTO job_output (job_pk, node_id, display_node_id, output)
SELECT pk, :node_id, :display_node_id, :output FROM job WHERE id = :id;
