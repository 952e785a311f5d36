-- Ask whether a leader's term is the present one.
SELECT term FROM leader WHERE term = :term;
