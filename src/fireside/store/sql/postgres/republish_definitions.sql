-- Make remembered definitions the newest of their runtime again; of unknown ones nothing is changed.
UPDATE definition_set SET publication = (SELECT max(publication) + 1 FROM definition_set), published_at = :now
WHERE hash = :hash RETURNING hash;
