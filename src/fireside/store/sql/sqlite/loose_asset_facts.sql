-- Read where assets with a fact stand, within pieces in which it is not common, given as a JSON list of [fact, first, last].
SELECT fact, asset_pk - (:user_id << 40) AS place
FROM json_each(:pieces) AS part CROSS JOIN asset_fact INDEXED BY asset_fact_created
    ON whose = :user_id AND fact = json_extract(part.value, '$[0]')
        AND asset_pk BETWEEN (:user_id << 40) + json_extract(part.value, '$[1]')
            AND (:user_id << 40) + json_extract(part.value, '$[2]');
