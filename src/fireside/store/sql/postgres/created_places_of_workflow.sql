-- Read where a user's jobs of one workflow are in create order, newest first.
-- include: created_of_workflow_newest_first
;
