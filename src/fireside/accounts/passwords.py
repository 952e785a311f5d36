"""Passwords: which are taken, and how they are kept and checked.

Argon2id with the parameters of RFC 9106 for little memory, in threads, two at a time: each takes 64 MiB. What may be a
password follows NIST SP 800-63B: long enough, any characters, none of the few that everybody tries first.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fireside.domain.errors import BadRequest

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
_AT_ONCE = 2
_COMMON = frozenset(
    {
        "1234567890",
        "0123456789",
        "12345678910",
        "1q2w3e4r5t",
        "qwertyuiop",
        "password12",
        "password123",
        "password1234",
        "passwordpassword",
        "letmein123",
        "administrator",
        "changeme123",
        "iloveyou123",
        "comfyuicomfyui",
    }
)


class Passwords:
    """Keeps and checks passwords."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys: str | None = None

    async def kept(self, password: str) -> str:
        """Give what is stored of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Say whether it is the password; with nothing to compare it takes as long, and is not."""
        if self._nobodys is None:
            self._nobodys = await self.kept("nobody has this password")
        async with self._turns:
            return await asyncio.to_thread(self._verify, _normal(password), kept or self._nobodys) and kept is not None

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, user_name: str) -> None:
    """Raise `BadRequest` for what is no good password of this user."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadRequest(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words are fine")
    plain = password.casefold()
    if plain in _COMMON or plain == user_name.casefold() or len(set(plain)) < 4:
        raise BadRequest("this password is among the first that anybody would guess: choose another")


def _normal(password: str) -> str:
    # Keyboards write the same character in several ways; a lone surrogate, which no keyboard writes, has no UTF-8.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
