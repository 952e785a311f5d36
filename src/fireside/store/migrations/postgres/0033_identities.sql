-- Who a user is at an OpenID provider: the pair that never changes, not an address that may pass to somebody else.
CREATE TABLE identity (
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    user_id bigint NOT NULL REFERENCES "user" (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_of_user ON identity (user_id);
