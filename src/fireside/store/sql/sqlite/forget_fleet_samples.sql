-- Forget how the fleet was long ago.
DELETE FROM fleet_sample WHERE slot < :slot;
