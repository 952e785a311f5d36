-- Say anew where the assets of a user's facts stand, where that is wrong.
UPDATE asset_fact SET whose = user_id, set_of_tags = tag_set, by_name = folded, by_update = updated_at,
    by_size = size_bytes, by_access = accessed_at
FROM asset
WHERE pk = asset_pk AND asset_pk BETWEEN :user_id::bigint << 40 AND (:user_id::bigint << 40) + 1099511627775
    AND (whose, set_of_tags, by_name, by_update, by_size, by_access)
        IS DISTINCT FROM (user_id, tag_set, folded, updated_at, size_bytes, accessed_at);
