-- Read what the assets of a piece of a library are called, and their sets of tags.
SELECT place, tag_set, folded FROM asset
WHERE pk BETWEEN (:user_id << 40) + :first_place AND (:user_id << 40) + :last_place ORDER BY pk;
