-- Blocks of run times are narrower: 1,024 an octave. Upkeep counts them, and forgets those of the former cut.

-- A history's jobs that ran are counted in blocks when their run time is below this.
ALTER TABLE job_promoted ADD COLUMN runs_below INTEGER NOT NULL DEFAULT 0;

-- How many of the last bits of a run time from `low` on its fine block leaves away: all but the first eleven.
CREATE TABLE run_octave (low INTEGER PRIMARY KEY, shift INTEGER NOT NULL) STRICT;
WITH RECURSIVE octave (low, shift) AS (
    VALUES (0, 0) UNION ALL SELECT 1 << (shift + 11), shift + 1 FROM octave WHERE shift < 51
)
INSERT INTO run_octave (low, shift) SELECT low, shift FROM octave;
