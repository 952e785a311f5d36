-- online: each order of a library as one range, whatever the tags.
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_all_created ON asset (user_id, place, tag_set);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_all_named ON asset (user_id, folded, place, tag_set);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_all_updated ON asset (user_id, updated_at, place, tag_set);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_all_sized ON asset (user_id, size_bytes, place, tag_set);
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_all_accessed ON asset (user_id, accessed_at, place, tag_set);
