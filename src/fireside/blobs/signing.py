"""Signed, expiring tokens for URLs that work without a credential.

A token carries its claims in the open and an HMAC-SHA256 over them. Downloads and uploads have keys of their own, so a
token of one kind is noise to the other. The clock is the caller's.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from fireside.domain.errors import Unauthenticated
from fireside.domain.ids import BlobHash, JobId, UserId, WorkerId

Disposition = Literal["auto", "attachment", "inline"]


class DownloadClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The right to read one blob, as the file it is for its owner."""

    hash: BlobHash
    filename: str
    content_type: str
    expires_at: datetime
    disposition: Disposition = "auto"
    is_for_machine: bool = False
    """Whether whoever reads it knows what the bytes are, and needs neither their name nor their type."""


class UploadClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The right of one user to send one file."""

    user_id: UserId
    filename: str
    content_type: str
    limit_bytes: int
    expires_at: datetime


class DirectClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The right of a worker to have what it brought to the bucket itself made a blob."""

    worker_id: WorkerId
    job_id: JobId
    name: str
    hash: BlobHash
    size_bytes: int
    sha256: tuple[str, ...]
    upload_id: str
    expires_at: datetime


_Claims = TypeVar("_Claims", DownloadClaims, UploadClaims, DirectClaims)


class UrlSigner:
    """Signs and verifies with keys derived from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._keys = {
            kind: hmac.digest(secret, purpose, hashlib.sha256)
            for kind, purpose in (
                (DownloadClaims, b"download"),
                (UploadClaims, b"upload"),
                (DirectClaims, b"direct upload"),
            )
        }

    def sign(self, claims: DownloadClaims | UploadClaims | DirectClaims) -> str:
        """Make the token; letters, digits, `-`, `_` and one dot, so it can stand in a path or a query as it is."""
        body = _encode(msgspec.json.encode(claims))
        return f"{body}.{_encode(self._mac(type(claims), body))}"

    def verify(self, token: str, now: datetime) -> DownloadClaims:
        """Give the claims of a token for a download. Raises `Unauthenticated` when it is altered or has expired."""
        return self._verify(DownloadClaims, token, now)

    def verify_upload(self, token: str, now: datetime) -> UploadClaims:
        """Give the claims of a token for an upload. Raises `Unauthenticated` when it is altered or has expired."""
        return self._verify(UploadClaims, token, now)

    def verify_direct(self, token: str, now: datetime) -> DirectClaims:
        """Give the claims of a token for bytes in the bucket. Raises `Unauthenticated` as above."""
        return self._verify(DirectClaims, token, now)

    def _verify(self, kind: type[_Claims], token: str, now: datetime) -> _Claims:
        body, _, signature = token.partition(".")
        expected = _encode(self._mac(kind, body))
        # Compared as text: decoding first would let several spellings of one signature pass.
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
            raise Unauthenticated("This link is not one of this server. Ask for a new one.")
        claims = msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=kind)
        if now >= claims.expires_at:
            raise Unauthenticated("This link has expired. Ask for a new one.")
        return claims

    def _mac(self, kind: type[DownloadClaims | UploadClaims | DirectClaims], body: str) -> bytes:
        return hmac.digest(self._keys[kind], body.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
