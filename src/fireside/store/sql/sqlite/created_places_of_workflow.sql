-- Read where a user's jobs of one workflow are in create order, newest first: the ranges of up to 20 classes, merged.
-- include: created_of_workflow_newest_first
;
