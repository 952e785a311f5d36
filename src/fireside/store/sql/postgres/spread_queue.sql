-- Number a user's queue anew in its order, evenly, so that there is room between any two.
-- In doubles as the numbers themselves are: `2.0` would be an exact number here, and each step of it slow.
UPDATE job SET number = spread.number FROM (
    SELECT mine.pk, next_number * (
        2::double precision * row_number() OVER (ORDER BY mine.number, mine.pk) / (1 + count(*) OVER ()) - 1
    ) AS number
    FROM job AS mine JOIN user_share ON user_share.user_id = mine.user_id
    WHERE mine.user_id = :user_id AND mine.state = 'queued'
) AS spread WHERE job.pk = spread.pk;
