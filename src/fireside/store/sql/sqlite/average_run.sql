-- Take a run into the moving average of its kind of work.
INSERT INTO run_estimate (fingerprint, seconds) SELECT fingerprint, :seconds FROM job WHERE id = :id AND fingerprint <> ''
ON CONFLICT DO UPDATE SET seconds = 0.7 * seconds + 0.3 * excluded.seconds;
