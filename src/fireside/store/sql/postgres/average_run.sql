-- Take a run into the moving average of its kind of work.
INSERT INTO run_estimate (fingerprint, seconds)
SELECT fingerprint, :seconds::double precision FROM job WHERE id = :id AND fingerprint <> ''
ON CONFLICT (fingerprint) DO UPDATE SET seconds = 0.7 * run_estimate.seconds + 0.3 * excluded.seconds;
