-- Count a try to sign in.
INSERT INTO sign_in_try (subject, tries, began_at) VALUES (:subject, 1, :now)
ON CONFLICT (subject) DO UPDATE SET tries = sign_in_try.tries + 1
RETURNING tries, began_at;
