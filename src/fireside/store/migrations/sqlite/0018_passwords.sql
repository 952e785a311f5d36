-- Passwords, invitations, sessions that end when nobody uses them, and what keeps guesses few.
ALTER TABLE user ADD COLUMN password_hash TEXT;

-- A link signs in, or has its user choose a password anew.
ALTER TABLE login_link ADD COLUMN sets_password INTEGER NOT NULL DEFAULT 0 CHECK (sets_password IN (0, 1));

ALTER TABLE session ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;
UPDATE session SET seen_at = created_at;
CREATE INDEX session_use ON session (seen_at);

CREATE TABLE invitation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    name TEXT, -- NULL lets the guest choose
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    weight REAL NOT NULL CHECK (weight > 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX invitation_expiry ON invitation (expires_at);

-- Tries to sign in, by the digest of who is guessed at or from where.
CREATE TABLE sign_in_try (
    subject BLOB NOT NULL PRIMARY KEY,
    tries INTEGER NOT NULL,
    began_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_try_age ON sign_in_try (began_at);
