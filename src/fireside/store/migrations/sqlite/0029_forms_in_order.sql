-- What has a form of title is in each order, for each set of tags.
CREATE INDEX asset_formed_created ON asset (user_id, (
    replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
), tag_set, place);
CREATE INDEX asset_formed_named ON asset (user_id, (
    replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
), tag_set, folded, place);
CREATE INDEX asset_formed_updated ON asset (user_id, (
    replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
), tag_set, updated_at, place);
CREATE INDEX asset_formed_sized ON asset (user_id, (
    replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
), tag_set, size_bytes, place);
CREATE INDEX asset_formed_accessed ON asset (user_id, (
    replace(replace(replace(replace(replace(replace(replace(replace(replace(folded, '1', '0'), '2', '0'), '3', '0'), '4', '0'), '5', '0'), '6', '0'), '7', '0'), '8', '0'), '9', '0')
), tag_set, accessed_at, place);
