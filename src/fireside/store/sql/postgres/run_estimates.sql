-- Say what these kinds of work take, given as a JSON list of their fingerprints; of those that are not known nothing.
SELECT fingerprint, seconds FROM run_estimate
WHERE fingerprint IN (SELECT json_array_elements_text(:fingerprints));
