-- Forget what the owner's words say of an asset.
DELETE FROM asset_fact WHERE asset_pk = (SELECT pk FROM asset WHERE id = :id);
