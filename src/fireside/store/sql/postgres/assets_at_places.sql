-- Read the assets of a user that stand at some places of create order.
SELECT * FROM asset WHERE pk = ANY (
    ARRAY(SELECT (:user_id::bigint << 40) + value::bigint FROM json_array_elements_text(:places) AS places (value))
);
