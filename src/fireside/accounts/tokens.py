"""Random credentials, and the digest under which the store knows them.

Each has 256 random bits, so a plain SHA-256 is safe to look them up by: there is nothing to guess.
"""

import hashlib
import secrets

API_KEY_PREFIX = "fsk_"
JOIN_TOKEN_PREFIX = "fsj_"  # noqa: S105 - the public part of every token
WORKER_SECRET_PREFIX = "fsw_"  # noqa: S105 - the public part of every secret
SESSION_COOKIE = "fireside_session"
"""The cookie that carries a session's token."""

_RANDOM_BYTES = 32
_SHOWN_CHARACTERS = len(API_KEY_PREFIX) + 6


def new_api_key() -> str:
    """Make an API key."""
    return API_KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def new_join_token() -> str:
    """Make a token by which a worker joins."""
    return JOIN_TOKEN_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def new_token() -> str:
    """Make a session's or a login link's token; safe in URLs and cookies."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(token: str) -> bytes:
    """Give what is stored of a credential."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def shown_prefix(api_key: str) -> str:
    """Give the part of a key by which its owner recognizes it in a list."""
    return api_key[:_SHOWN_CHARACTERS]
