"""Sealing of small secrets that must rest beside the queue for a while, such as a job's credentials for partner nodes.

ChaCha20-Poly1305 under a key derived from the server's secret. The context (the job's id) is bound to the sealed bytes,
so that they open nowhere else.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from fireside.accounts.server_keys import ServerKeys
from fireside.domain.errors import FiresideError

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_HEAD_BYTES = len(_FORMAT) + _NONCE_BYTES


class CannotOpen(FiresideError):
    """The sealed bytes are damaged, of another context, or sealed under another secret key."""

    code = "cannot_open_secret"


class Sealer:
    """Seals and opens under one server's secret key."""

    def __init__(self, secret_key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(ServerKeys(secret_key).derive("sealing"))

    def seal(self, secret: bytes, context: str) -> bytes:
        """Encrypt so that only `open` with the same context gives it back."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `CannotOpen`."""
        if not sealed.startswith(_FORMAT) or len(sealed) < _HEAD_BYTES:
            raise CannotOpen("these are no sealed bytes")
        nonce, body = sealed[len(_FORMAT) : _HEAD_BYTES], sealed[_HEAD_BYTES:]
        try:
            return self._cipher.decrypt(nonce, body, context.encode())
        except InvalidTag as error:
            raise CannotOpen("sealed for something else, or under another secret key") from error
