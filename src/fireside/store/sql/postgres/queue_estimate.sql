-- Say how long a user's next jobs are believed to take each, by what runs like them took.
SELECT avg(coalesce(seconds, :unknown_seconds::double precision)) AS seconds FROM (
    SELECT fingerprint FROM job WHERE user_id = :user_id AND state = 'queued' ORDER BY number, pk LIMIT 50
) AS next LEFT JOIN run_estimate ON run_estimate.fingerprint = next.fingerprint;
