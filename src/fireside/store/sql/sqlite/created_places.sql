-- Read where a user's jobs of some classes are in create order, newest first: the ranges of up to 20 classes, merged.
-- include: created_newest_first
;
