-- Note what the owner's words say of an asset.
INSERT INTO asset_fact (asset_pk, fact) SELECT asset.pk, fact.value FROM asset, json_each(:facts) AS fact WHERE asset.id = :id;
