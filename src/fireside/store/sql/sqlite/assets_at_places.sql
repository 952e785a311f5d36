-- Read the assets of a user that stand at some places of create order.
SELECT asset.* FROM json_each(:places) AS wanted CROSS JOIN asset ON pk = (:user_id << 40) + wanted.value;
