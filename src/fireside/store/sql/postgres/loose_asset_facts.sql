-- Read where assets with a fact stand, within pieces in which it is not common, given as a JSON list of [fact, first, last].
SELECT fact, asset_pk - (:user_id::bigint << 40) AS place
FROM json_array_elements(:pieces::json) AS part (value) CROSS JOIN LATERAL (
    SELECT fact, asset_pk FROM asset_fact
    WHERE whose = :user_id::integer AND fact = (value ->> 0)::bigint
        AND asset_pk BETWEEN (:user_id::bigint << 40) + (value ->> 1)::bigint
            AND (:user_id::bigint << 40) + (value ->> 2)::bigint
    OFFSET 0
) AS loose;
