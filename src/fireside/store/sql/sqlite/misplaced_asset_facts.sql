-- Count the facts of a user's assets that say wrongly where their asset stands.
SELECT count(*) AS n FROM asset_fact CROSS JOIN asset ON pk = asset_pk
WHERE asset_pk BETWEEN :user_id << 40 AND (:user_id << 40) + 1099511627775
    AND (whose, set_of_tags, by_name, by_update, by_size, by_access)
        IS NOT (user_id, tag_set, folded, updated_at, size_bytes, accessed_at);
