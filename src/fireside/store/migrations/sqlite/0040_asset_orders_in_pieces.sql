-- Pieces of libraries also tell where their assets stand in each order, which sets of tags they have, and all of their titles.

-- What a piece tells has changed: those of former editions are made anew.
ALTER TABLE asset_piece ADD COLUMN edition INTEGER NOT NULL DEFAULT 1;
ALTER TABLE asset_piece ADD COLUMN has_forms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE asset_piece ADD COLUMN access_turn TEXT NOT NULL DEFAULT '';
CREATE TABLE asset_piece_column (
    user_id INTEGER NOT NULL,
    first_place INTEGER NOT NULL,
    what TEXT NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (user_id, what, first_place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
) STRICT;
CREATE INDEX asset_piece_column_of_piece ON asset_piece_column (user_id, first_place);
-- The places of sealed pieces whose assets were read since.
CREATE TABLE asset_touched (
    user_id INTEGER NOT NULL,
    first_place INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (user_id, first_place, place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

DROP TRIGGER asset_changed_in_piece;
CREATE TRIGGER asset_changed_in_piece AFTER UPDATE OF tag_set, folded, user_metadata, updated_at ON asset BEGIN
    INSERT INTO asset_changed (user_id, first_place, place)
    SELECT user_id, first_place, new.place FROM asset_piece
    WHERE user_id = new.user_id AND last_place >= new.place AND first_place = (
        SELECT max(first_place) FROM asset_piece WHERE user_id = new.user_id AND first_place <= new.place
    )
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER asset_touched_in_piece AFTER UPDATE OF accessed_at ON asset WHEN new.accessed_at <> old.accessed_at BEGIN
    INSERT INTO asset_touched (user_id, first_place, place)
    SELECT user_id, first_place, new.place FROM asset_piece
    WHERE user_id = new.user_id AND last_place >= new.place AND first_place = (
        SELECT max(first_place) FROM asset_piece WHERE user_id = new.user_id AND first_place <= new.place
    )
    ON CONFLICT DO NOTHING;
END;
