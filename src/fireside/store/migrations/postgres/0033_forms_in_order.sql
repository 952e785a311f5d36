-- online: what has a form of title is in each order, for each set of tags.
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_formed_created ON asset (user_id, (translate(folded, '123456789', '000000000')), tag_set, place);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_formed_named ON asset (user_id, (translate(folded, '123456789', '000000000')), tag_set, folded, place);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_formed_updated ON asset (user_id, (translate(folded, '123456789', '000000000')), tag_set, updated_at, place);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_formed_sized ON asset (user_id, (translate(folded, '123456789', '000000000')), tag_set, size_bytes, place);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_formed_accessed ON asset (user_id, (translate(folded, '123456789', '000000000')), tag_set, accessed_at, place);
