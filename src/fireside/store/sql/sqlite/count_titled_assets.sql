-- Count the assets of some sets of tags whose titles hold a text, from an index alone.
SELECT count(*) AS n FROM asset INDEXED BY asset_named
WHERE user_id = :user_id AND tag_set IN (SELECT value FROM json_each(:sets)) AND instr(folded, :needle) > 0;
