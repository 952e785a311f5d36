"""Addresses at which an asset's bytes can be had for a while, without a credential and by whoever knows them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fireside.blobs.signing import DownloadClaims
from fireside.domain.assets import Asset
from fireside.server.services import Services

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUrl:
    """An absolute address, and when it ends."""

    url: str
    expires_at: datetime


def fresh_url(services: Services, asset: Asset) -> SignedUrl:
    """Make an address that works from now on for as long as addresses do."""
    expires_at = services.clock() + timedelta(seconds=services.config.signed_url_seconds)
    return _signed(services, asset, expires_at)


def steady_url(services: Services, asset: Asset) -> SignedUrl:
    """Make an address that stays the same for half of its time, so that what holds it has a steady entity tag."""
    span = timedelta(seconds=services.config.signed_url_seconds)
    begun = (services.clock() - _EPOCH) // (span / 2)
    return _signed(services, asset, _EPOCH + (begun + 2) * (span / 2))


def _signed(services: Services, asset: Asset, expires_at: datetime) -> SignedUrl:
    claims = DownloadClaims(
        hash=asset.hash,
        filename=asset.file.name,
        content_type=asset.content_type,
        expires_at=expires_at,
    )
    return SignedUrl(url=f"{services.public_url}/files/{services.signer.sign(claims)}", expires_at=expires_at)
