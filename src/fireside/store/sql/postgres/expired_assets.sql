-- Read which assets are over.
SELECT id FROM asset WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit;
