"""Addresses at which an asset's bytes can be had for a while, without a credential and by whoever knows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fireside.blobs.signing import Disposition, DownloadClaims
from fireside.domain.assets import Asset
from fireside.server.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUrl:
    """An absolute address, and when it ends."""

    url: str
    expires_at: datetime


def signed_url(services: Services, asset: Asset, disposition: Disposition = "auto") -> SignedUrl:
    """Make a fresh address of an asset's bytes."""
    expires_at = services.clock() + timedelta(seconds=services.config.signed_url_seconds)
    claims = DownloadClaims(
        hash=asset.hash,
        filename=asset.file.name,
        content_type=asset.content_type,
        expires_at=expires_at,
        disposition=disposition,
    )
    return SignedUrl(url=f"{services.public_url}/files/{services.signer.sign(claims)}", expires_at=expires_at)
