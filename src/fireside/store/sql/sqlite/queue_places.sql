-- Say at which places of their user's queue some jobs wait, the first one at 1; ids as a JSON list of hexadecimal digits.
SELECT job.id, placed.place FROM (
    SELECT pk, row_number() OVER (ORDER BY number, pk) AS place
    FROM job WHERE user_id = :user_id AND state = 'queued'
) AS placed CROSS JOIN job ON job.pk = placed.pk
WHERE placed.pk IN (SELECT pk FROM job WHERE id IN (SELECT unhex(value) FROM json_each(:ids)));
