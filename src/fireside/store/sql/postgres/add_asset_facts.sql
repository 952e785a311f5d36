-- Note what the owner's words say of an asset, and where it stands in each order.
INSERT INTO asset_fact (asset_pk, fact, whose, set_of_tags, by_name, by_update, by_size, by_access)
SELECT asset.pk, fact.value::bigint, user_id, tag_set, folded, updated_at, size_bytes, accessed_at
FROM asset, json_array_elements_text(:facts) AS fact (value) WHERE asset.id = :id;
