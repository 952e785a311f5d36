-- Blocks of run times are narrower: 1,024 an octave. Upkeep counts them, and forgets those of the former cut.

-- A history's jobs that ran are counted in blocks when their run time is below this.
ALTER TABLE job_promoted ADD COLUMN runs_below bigint NOT NULL DEFAULT 0;

-- The fine block of a run time: as it is below 2,048, and from there on its exponent and the ten bits behind the leading
-- one. An IEEE 754 double has both at its front, and so that what stands before the other 42 bits is nearly it.
CREATE FUNCTION run_block(run_us bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN run_us < 1024 THEN run_us
    ELSE (('x' || encode(float8send(run_us::double precision), 'hex'))::bit(64)::bigint >> 42) - 1056768 END;
