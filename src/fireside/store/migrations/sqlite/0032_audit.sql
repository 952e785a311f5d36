-- What admins have done. Entries are added and, when their time is over, removed; none is ever changed.
CREATE TABLE audit_entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    actor TEXT NOT NULL,
    way TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX audit_entry_in_time ON audit_entry (at);
CREATE INDEX audit_entry_of_actor ON audit_entry (actor, id);
CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry
BEGIN
    SELECT raise(ABORT, 'an audit entry is never changed');
END;
