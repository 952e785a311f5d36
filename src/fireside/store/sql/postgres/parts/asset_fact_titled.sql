-- The title, which the index of facts in create order leaves to the row.
(:needle::text = '' OR 0 < (
    SELECT count(*) FROM asset_fact AS titled WHERE titled.asset_pk = asset_fact.asset_pk
        AND titled.fact = asset_fact.fact AND strpos(titled.by_name, :needle::text) > 0
))
