-- Begin a leader's term; whoever led before has lost theirs.
INSERT INTO leader (id, term, holder, taken_at) VALUES (1, 1, :holder, :now)
ON CONFLICT (id) DO UPDATE SET
    term = leader.term + 1, holder = excluded.holder, taken_at = excluded.taken_at RETURNING term;
