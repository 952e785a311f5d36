-- Pieces of large libraries, in which it is known of each place what its asset has.

CREATE TABLE asset_piece (
    user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    first_place INTEGER NOT NULL,
    last_place INTEGER NOT NULL,
    turn TEXT NOT NULL,
    is_sealed INTEGER NOT NULL,
    has_tags INTEGER NOT NULL,
    has_texts INTEGER NOT NULL,
    PRIMARY KEY (user_id, first_place)
) STRICT, WITHOUT ROWID;
-- One bit for each place, or their numbers in two bytes each where that is much shorter. What is asked for together stands
-- together.
CREATE TABLE asset_piece_bits (
    user_id INTEGER NOT NULL,
    first_place INTEGER NOT NULL,
    what TEXT NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (user_id, what, first_place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_piece_bits_of_piece ON asset_piece_bits (user_id, first_place);
-- The places of sealed pieces that have changed since.
CREATE TABLE asset_changed (
    user_id INTEGER NOT NULL,
    first_place INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (user_id, first_place, place),
    FOREIGN KEY (user_id, first_place) REFERENCES asset_piece (user_id, first_place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TRIGGER asset_changed_in_piece AFTER UPDATE OF tag_set, folded, user_metadata ON asset BEGIN
    INSERT INTO asset_changed (user_id, first_place, place)
    SELECT user_id, first_place, new.place FROM asset_piece
    WHERE user_id = new.user_id AND last_place >= new.place AND first_place = (
        SELECT max(first_place) FROM asset_piece WHERE user_id = new.user_id AND first_place <= new.place
    )
    ON CONFLICT DO NOTHING;
END;
-- The next asset stands behind the newest one, and no piece may be sealed there.
CREATE TRIGGER asset_removed_from_piece AFTER DELETE ON asset BEGIN
    INSERT INTO asset_changed (user_id, first_place, place)
    SELECT user_id, first_place, old.place FROM asset_piece
    WHERE user_id = old.user_id AND last_place >= old.place AND first_place = (
        SELECT max(first_place) FROM asset_piece WHERE user_id = old.user_id AND first_place <= old.place
    )
    ON CONFLICT DO NOTHING;
    DELETE FROM asset_piece WHERE user_id = old.user_id
        AND last_place > (SELECT coalesce(max(place), 0) FROM asset WHERE user_id = old.user_id)
        AND first_place >= (
            SELECT coalesce(max(first_place), 0) FROM asset_piece WHERE user_id = old.user_id
                AND first_place <= (SELECT coalesce(max(place), 0) FROM asset WHERE user_id = old.user_id)
        );
END;
