from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.blobs.signing import DownloadClaims, UploadClaims, UrlSigner
from fireside.domain.errors import Unauthenticated
from fireside.domain.ids import BlobHash, UserId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMS = DownloadClaims(
    hash=BlobHash("a" * 64), filename="ä\n.png", content_type="image/png", expires_at=NOW + timedelta(minutes=5)
)
SIGNER = UrlSigner(b"s" * 32)


def test_a_token_gives_its_claims_back() -> None:
    assert SIGNER.verify(SIGNER.sign(CLAIMS), NOW) == CLAIMS


def test_a_token_ends_at_its_time() -> None:
    token = SIGNER.sign(CLAIMS)

    SIGNER.verify(token, CLAIMS.expires_at - timedelta(microseconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        SIGNER.verify(token, CLAIMS.expires_at)


@given(data=st.data())
def test_a_token_altered_anywhere_is_refused(data: st.DataObject) -> None:
    token = SIGNER.sign(CLAIMS)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda letter: letter != token[at]))

    with pytest.raises(Unauthenticated):
        SIGNER.verify(token[:at] + other + token[at + 1 :], NOW)


@given(st.text())
def test_any_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        SIGNER.verify(text, NOW)


def test_tokens_of_downloads_and_uploads_cannot_be_mixed() -> None:
    upload = UploadClaims(
        user_id=UserId(1), filename="a", content_type="image/png", limit_bytes=9, expires_at=NOW + timedelta(hours=1)
    )
    assert SIGNER.verify_upload(SIGNER.sign(upload), NOW) == upload
    with pytest.raises(Unauthenticated):
        SIGNER.verify_upload(SIGNER.sign(CLAIMS), NOW)
    with pytest.raises(Unauthenticated):
        SIGNER.verify(SIGNER.sign(upload), NOW)


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        UrlSigner(b"t" * 32).verify(SIGNER.sign(CLAIMS), NOW)
