-- Read where the blocks of an order begin.
SELECT number, word, place FROM asset_cut WHERE user_id = :user_id AND axis = :axis ORDER BY number, word, place;
