-- Queues of which nothing is handed out: a user's, by its owner or by an admin; with the user 0 everybody's.
CREATE TABLE pause (
    user_id integer NOT NULL,
    origin text COLLATE "C" NOT NULL CHECK (origin IN ('owner', 'admin')),
    paused_at bigint NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, origin)
);
