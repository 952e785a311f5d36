-- Forget who a user is at an issuer, if they have a password, or are somebody else at the issuer that is in use.
DELETE FROM identity WHERE issuer = :issuer AND subject = :subject AND user_id = :user_id AND (
    EXISTS (SELECT 1 FROM "user" AS owner WHERE owner.id = :user_id AND owner.password_hash IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM identity AS other
        WHERE other.user_id = :user_id AND other.issuer = :used_issuer
            AND (other.issuer <> :issuer OR other.subject <> :subject)
    )
) RETURNING user_id;
