-- Pieces of large libraries, in which it is known of each place what its asset has.

CREATE TABLE asset_piece (
    user_id integer NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    first_place bigint NOT NULL,
    last_place bigint NOT NULL,
    turn text NOT NULL,
    is_sealed boolean NOT NULL,
    has_tags boolean NOT NULL,
    has_texts boolean NOT NULL,
    PRIMARY KEY (user_id, first_place)
);
-- One bit for each place, or their numbers in two bytes each where that is much shorter.
CREATE TABLE asset_piece_bits (
    user_id integer NOT NULL,
    first_place bigint NOT NULL,
    what text COLLATE "C" NOT NULL,
    bits bytea NOT NULL,
    PRIMARY KEY (user_id, what, first_place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
);
CREATE INDEX asset_piece_bits_of_piece ON asset_piece_bits (user_id, first_place);
ALTER TABLE asset_piece_bits ALTER COLUMN bits SET STORAGE PLAIN;
-- The places of sealed pieces that have changed since.
CREATE TABLE asset_changed (
    user_id integer NOT NULL,
    first_place bigint NOT NULL,
    place bigint NOT NULL,
    PRIMARY KEY (user_id, first_place, place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
);

CREATE FUNCTION note_asset_changed_in_piece() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO asset_changed (user_id, first_place, place)
    SELECT user_id, first_place, OLD.place FROM (
        SELECT user_id, first_place, last_place FROM asset_piece
        WHERE user_id = OLD.user_id AND first_place <= OLD.place ORDER BY first_place DESC LIMIT 1
    ) AS piece WHERE last_place >= OLD.place
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER asset_changed_in_piece AFTER UPDATE OF tag_set, folded, user_metadata ON asset
FOR EACH ROW EXECUTE FUNCTION note_asset_changed_in_piece();
CREATE TRIGGER asset_removed_from_piece AFTER DELETE ON asset
FOR EACH ROW EXECUTE FUNCTION note_asset_changed_in_piece();

-- The next asset stands behind the newest one, and no piece may be sealed there.
CREATE FUNCTION unseal_last_asset_pieces() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE newest bigint; BEGIN
    SELECT coalesce(max(place), 0) INTO newest FROM asset WHERE user_id = OLD.user_id;
    DELETE FROM asset_piece WHERE user_id = OLD.user_id AND last_place > newest AND first_place >= (
        SELECT coalesce(max(first_place), 0) FROM asset_piece WHERE user_id = OLD.user_id AND first_place <= newest
    );
    RETURN NULL;
END $$;
CREATE TRIGGER asset_removed_last AFTER DELETE ON asset
FOR EACH ROW EXECUTE FUNCTION unseal_last_asset_pieces();
