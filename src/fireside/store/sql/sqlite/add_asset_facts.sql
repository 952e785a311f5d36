-- Note what the owner's words say of an asset, and where it stands in each order.
INSERT INTO asset_fact (asset_pk, fact, whose, set_of_tags, by_name, by_update, by_size, by_access)
SELECT asset.pk, fact.value, user_id, tag_set, folded, updated_at, size_bytes, accessed_at
FROM asset, json_each(:facts) AS fact WHERE asset.id = :id;
