-- Read how long kinds of work take.
SELECT fingerprint, seconds FROM run_estimate WHERE fingerprint IN (SELECT value FROM json_each(:fingerprints));
