-- Read which histories of a user are counted in blocks.
SELECT workflow FROM job_promoted WHERE user_id = :user_id;
