-- Whether the servers only read: one row while they do.
CREATE TABLE maintenance (
    id integer PRIMARY KEY CHECK (id = 1),
    began_at bigint NOT NULL,
    reason text COLLATE "C" NOT NULL
);
