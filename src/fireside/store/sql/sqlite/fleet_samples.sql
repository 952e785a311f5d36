-- Read how the fleet was since a time, oldest first.
SELECT at, workers, busy, waiting FROM fleet_sample WHERE slot >= :slot ORDER BY slot;
