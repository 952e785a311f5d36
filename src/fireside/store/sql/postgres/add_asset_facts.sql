-- Note what the owner's words say of an asset.
INSERT INTO asset_fact (asset_pk, fact)
SELECT asset.pk, fact.value::bigint FROM asset, json_array_elements_text(:facts) AS fact (value) WHERE asset.id = :id;
