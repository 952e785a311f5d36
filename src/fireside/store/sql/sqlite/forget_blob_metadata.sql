-- Forget what bytes have said that are gone, unless an asset has come that needs it.
DELETE FROM blob_metadata WHERE hash = :hash AND NOT EXISTS (SELECT 1 FROM asset WHERE asset.hash = :hash);
