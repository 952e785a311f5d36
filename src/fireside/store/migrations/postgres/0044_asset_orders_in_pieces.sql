-- Pieces of libraries also tell where their assets stand in each order, which sets of tags they have, and all of their titles.

-- What a piece tells has changed: those of former editions are made anew.
ALTER TABLE asset_piece ADD COLUMN edition integer NOT NULL DEFAULT 1;
ALTER TABLE asset_piece ADD COLUMN has_forms boolean NOT NULL DEFAULT FALSE;
ALTER TABLE asset_piece ADD COLUMN access_turn text NOT NULL DEFAULT '';
CREATE TABLE asset_piece_column (
    user_id integer NOT NULL,
    first_place bigint NOT NULL,
    what text COLLATE "C" NOT NULL,
    entries bytea NOT NULL,
    PRIMARY KEY (user_id, what, first_place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
);
CREATE INDEX asset_piece_column_of_piece ON asset_piece_column (user_id, first_place);
ALTER TABLE asset_piece_column ALTER COLUMN entries SET STORAGE EXTERNAL;
-- The places of sealed pieces whose assets were read since.
CREATE TABLE asset_touched (
    user_id integer NOT NULL,
    first_place bigint NOT NULL,
    place bigint NOT NULL,
    PRIMARY KEY (user_id, first_place, place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
);

DROP TRIGGER asset_changed_in_piece ON asset;
CREATE TRIGGER asset_changed_in_piece AFTER UPDATE OF tag_set, folded, user_metadata, updated_at ON asset
FOR EACH ROW EXECUTE FUNCTION note_asset_changed_in_piece();

CREATE FUNCTION note_asset_touched_in_piece() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO asset_touched (user_id, first_place, place)
    SELECT user_id, first_place, OLD.place FROM (
        SELECT user_id, first_place, last_place FROM asset_piece
        WHERE user_id = OLD.user_id AND first_place <= OLD.place ORDER BY first_place DESC LIMIT 1
    ) AS piece WHERE last_place >= OLD.place
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER asset_touched_in_piece AFTER UPDATE OF accessed_at ON asset
FOR EACH ROW WHEN (NEW.accessed_at <> OLD.accessed_at) EXECUTE FUNCTION note_asset_touched_in_piece();
