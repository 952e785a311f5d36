-- Read a window of the assets at some places by name, the last ones first.
SELECT asset.* FROM (
    SELECT pk, folded, place FROM asset WHERE pk = ANY (
        ARRAY(SELECT (:user_id::bigint << 40) + value::bigint FROM json_array_elements_text(:places) AS places (value))
    ) AND (NOT :is_bounded::boolean OR (folded, place) < (:word::text, :place::bigint))
    ORDER BY folded DESC, place DESC LIMIT :limit OFFSET :offset
) AS page JOIN asset ON asset.pk = page.pk ORDER BY page.folded DESC, page.place DESC;
