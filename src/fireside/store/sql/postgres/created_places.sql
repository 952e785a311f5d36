-- Read where a user's jobs of some classes are in create order, newest first.
-- include: created_newest_first
;
