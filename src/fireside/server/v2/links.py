"""Addresses in what the API v2 answers: absolute and signed for files, relative to this server for jobs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fireside.blobs.signing import DownloadClaims
from fireside.domain.assets import Asset
from fireside.domain.ids import JobId
from fireside.server.services import Services
from fireside.wire.v2_jobs import JobUrlsBody

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """Where a file can be read without a credential, and until when."""

    url: str
    expires_at: datetime


def fresh_url(services: Services, asset: Asset) -> SignedUrl:
    """Sign an address that works from now on."""
    expires_at = services.clock() + timedelta(seconds=services.config.signed_url_seconds)
    return _signed(services, asset, expires_at.replace(microsecond=0))


def steady_url(services: Services, asset: Asset) -> SignedUrl:
    """Sign an address that stays the same for half of its time, so that what holds it has a steady entity tag."""
    span = timedelta(seconds=services.config.signed_url_seconds)
    begun = (services.clock() - _EPOCH) // (span / 2)
    return _signed(services, asset, _EPOCH + (begun + 2) * (span / 2))


def urls_of_job(job_id: JobId) -> JobUrlsBody:
    """Say where to go on; relative, because the SDKs send their key only to the origin they were given."""
    path = f"/api/v2/jobs/{job_id}"
    return JobUrlsBody(self=path, events=f"{path}/events", cancel=f"{path}/cancel")


def _signed(services: Services, asset: Asset, expires_at: datetime) -> SignedUrl:
    claims = DownloadClaims(
        hash=asset.hash, filename=asset.file.name, content_type=asset.content_type, expires_at=expires_at
    )
    return SignedUrl(f"{services.public_url}/files/{services.signer.sign(claims)}", expires_at)
