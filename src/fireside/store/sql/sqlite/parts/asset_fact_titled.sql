-- The title, which the index of facts in create order leaves to the row.
(:needle = '' OR EXISTS (
    SELECT 1 FROM asset_fact AS titled WHERE titled.asset_pk = asset_fact.asset_pk
        AND titled.fact = asset_fact.fact AND instr(titled.by_name, :needle) > 0
))
