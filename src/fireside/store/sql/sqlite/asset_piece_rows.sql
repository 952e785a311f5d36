-- Read what the assets of a piece of a library are called, their sets of tags, and where they stand in each order.
SELECT place, tag_set, folded AS by_name, updated_at AS by_update, size_bytes AS by_size, accessed_at AS by_access
FROM asset
WHERE pk BETWEEN (:user_id << 40) + :first_place AND (:user_id << 40) + :last_place ORDER BY pk;
