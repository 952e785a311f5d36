-- Read the definitions that were published last, for each runtime.
SELECT hash, runtime, body FROM definition_set AS one
WHERE publication = (SELECT max(publication) FROM definition_set WHERE runtime = one.runtime) ORDER BY runtime;
