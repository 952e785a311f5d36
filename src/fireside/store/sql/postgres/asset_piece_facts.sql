-- Read the facts of the assets of a piece of a library.
SELECT asset_pk - (:user_id::bigint << 40) AS place, fact FROM asset_fact
WHERE asset_pk BETWEEN (:user_id::bigint << 40) + :first_place::bigint
    AND (:user_id::bigint << 40) + :last_place::bigint
ORDER BY asset_pk;
