-- Read what the assets of a piece of a library are called, and their sets of tags.
SELECT place, tag_set, folded FROM asset
WHERE pk BETWEEN (:user_id::bigint << 40) + :first_place::bigint AND (:user_id::bigint << 40) + :last_place::bigint
ORDER BY pk;
