-- Give who leads, or led last.
SELECT term, holder, taken_at FROM leader WHERE id = 1;
