-- Read at which places of a library from one on titles have a text, as a JSON list.
SELECT coalesce(json_agg(place), '[]')::text AS found FROM asset
WHERE pk BETWEEN (:user_id::bigint << 40) + :begin::bigint AND (:user_id::bigint << 40) + :end::bigint
    AND strpos(folded, :needle::text) > 0;
