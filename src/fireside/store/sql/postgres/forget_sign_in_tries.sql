-- Forget tries to sign in that no longer count.
DELETE FROM sign_in_try WHERE began_at <= :began_at;
