-- Begin anew to count tries to sign in.
DELETE FROM sign_in_try WHERE subject = :subject;
