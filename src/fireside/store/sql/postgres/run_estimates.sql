-- Read how long kinds of work take.
SELECT fingerprint, seconds FROM run_estimate
WHERE fingerprint = ANY (ARRAY(SELECT value FROM json_array_elements_text(:fingerprints) AS kinds (value)));
