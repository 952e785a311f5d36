-- Read the facts of the assets of a piece of a library.
SELECT asset_pk - (:user_id << 40) AS place, fact FROM asset_fact
WHERE asset_pk BETWEEN (:user_id << 40) + :first_place AND (:user_id << 40) + :last_place ORDER BY asset_pk;
