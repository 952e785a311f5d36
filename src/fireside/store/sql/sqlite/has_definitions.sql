-- Ask whether definitions are remembered.
SELECT hash FROM definition_set WHERE hash = :hash;
