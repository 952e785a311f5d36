-- online: The newest files of a folder, without those in folders below it, are in order.
CREATE INDEX CONCURRENTLY IF NOT EXISTS asset_newest ON asset (user_id, folder, place) WHERE subfolder = '';
