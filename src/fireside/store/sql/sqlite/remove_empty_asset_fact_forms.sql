-- Forget the counts of these assets' facts with the form of a title that no asset has.
DELETE FROM asset_fact_form WHERE n = 0 AND (user_id, fact, form, tag_set) IN (
    SELECT whose, fact,
        -- include: asset_form
        AS form, set_of_tags
    FROM (
        SELECT whose, fact, set_of_tags, by_name AS folded FROM asset_fact WHERE asset_pk IN (
            -- include: assets_touched
        )
    ) AS named
);
