"""Assets over the API v2: by id, by the hash of their bytes, and the bytes themselves; uploads are apart.

A hash is looked up among the caller's own records alone, so that neither an answer nor its time tells whether somebody
else has the bytes. What is not there, is somebody else's, or whose time is over, is not found.
"""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.records import Wish, asset_of_user, delete_asset, has_content, record_by_hash
from fireside.domain.accounts import PrincipalKind
from fireside.domain.assets import Asset
from fireside.domain.errors import BadRequest, Conflict, NotFound, Unprocessable
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.server.answers import json_answer
from fireside.server.callers import caller_of, services_of, user_of
from fireside.server.giving import give_blob
from fireside.server.reading import read_json
from fireside.server.routes import Answer, Refusal, Route
from fireside.server.services import Services
from fireside.server.signed_urls import SignedUrl, fresh_url
from fireside.server.v1.files_library import library_of
from fireside.server.v1.views import MEDIA_TYPES
from fireside.server.v2.envelope import enveloped
from fireside.wire.measures import AssetMetadata
from fireside.wire.refusals import EnvelopeBody
from fireside.wire.v2_assets import AssetBody, AssetFiresideBody, FromHashBody

CREATED, _OK, _NO_CONTENT, _FOUND, _UNSATISFIABLE = 201, 200, 204, 302, 416
_HASH = re.compile(r"blake3:([0-9a-f]{64})")
_DRIVE = re.compile(r"[A-Za-z]:")
_REVALIDATED = "private, no-cache"


class BlobNotFound(NotFound):
    """None of the caller's assets has these bytes."""

    code = "blob_not_found"


class AssetInUse(Conflict):
    """The asset is kept as long as something depends on it."""

    code = "asset_in_use"


async def from_hash(request: Request) -> Response:
    """Make another asset of bytes that the caller has, or find the one that is there."""
    body = await read_json(request)
    try:
        wanted = msgspec.convert(body, FromHashBody)
    except msgspec.ValidationError as error:
        raise Unprocessable(f"The body is not as it should be: {error}") from error
    services, user = services_of(request), user_of(request)
    blob_hash = _hash_of(wanted.hash)
    wish = Wish(
        user_id=user.id,
        name=None if wanted.file_path is None else checked_path(wanted.file_path),
        tags=wanted.tags or (),
        expires_at=expiry(services, wanted.expires_in),
    )
    if blob_hash is None or not await has_content(services.store, user.id, blob_hash):
        raise BlobNotFound("You have no asset with these bytes; upload them.")
    try:
        recorded = await record_by_hash(library_of(request), wish, blob_hash)
    except BadRequest as error:
        raise Unprocessable(error.message) from error
    shown = await show_asset(services, recorded.asset, created_new=False)
    return json_answer(shown, CREATED if recorded.is_new else _OK)


async def head_by_hash(request: Request) -> Response:
    """Say whether `from_hash` would take these bytes."""
    blob_hash = _hash_of(str(request.path_params["hash"]))
    if blob_hash is None or not await has_content(services_of(request).store, user_of(request).id, blob_hash):
        raise BlobNotFound("You have no asset with these bytes.")
    return Response(headers={"Cache-Control": "no-store"})


async def get_asset(request: Request) -> Response:
    """Show an asset, each time with a new address of its bytes."""
    return json_answer(await show_asset(services_of(request), await asset_of(request)))


async def remove(request: Request) -> Response:
    """Forget an asset; what a job of the history has made is kept with it."""
    asset = await asset_of(request)
    if asset.origin is not None:
        raise AssetInUse("This asset is in use and cannot be deleted.")
    await delete_asset(services_of(request).store, user_of(request).id, asset.id)
    return Response(status_code=_NO_CONTENT)


async def content(request: Request) -> Response:
    """Give the bytes: a range of them at once, all of them by a signed address, to which no key must be sent."""
    services, asset = services_of(request), await asset_of(request)
    if request.method == "GET" and "range" not in request.headers and caller_of(request).kind is PrincipalKind.KEY:
        signed = fresh_url(services, asset)
        location = f"{signed.url}?{_announced(services, signed)}"
        return Response(status_code=_FOUND, headers={"Location": location, "Cache-Control": "no-store"})
    answer = await give_blob(
        request,
        asset.hash,
        filename=asset.file.name,
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        cache=_REVALIDATED,
        is_sent_on=caller_of(request).kind is PrincipalKind.KEY,
    )
    if answer.status_code != _UNSATISFIABLE:
        return answer
    message = f"The range lies outside of the {asset.size_bytes} bytes."
    return enveloped(
        _UNSATISFIABLE, "invalid_request", message, headers={"Content-Range": answer.headers["content-range"]}
    )


async def asset_of(request: Request) -> Asset:
    """Read the asset that the path names; raises `NotFound`."""
    services = services_of(request)
    text = str(request.path_params["id"])
    try:
        asset_id = UUID(text)
    except ValueError:
        asset_id = None
    if asset_id is None or str(asset_id) != text.lower():
        raise NotFound("There is no such asset.")
    return await _living(services, user_of(request).id, AssetId(asset_id))


async def show_asset(services: Services, asset: Asset, *, created_new: bool | None = None) -> AssetBody:
    """Show an asset; its type is what its owner says, and its bytes are served as what they are."""
    signed = fresh_url(services, asset)
    (known,) = await services.store.with_metadata([asset])
    return AssetBody(
        id=asset.id,
        hash=f"blake3:{asset.hash}",
        size_bytes=asset.size_bytes,
        content_type=asset.mime_type or asset.content_type,
        file_path=asset.path,
        created_at=asset.created_at,
        url=signed.url,
        url_expires_at=signed.expires_at,
        expires_at=asset.expires_at,
        job_id=asset.origin.job_id if asset.origin else None,
        created_new=msgspec.UNSET if created_new is None else created_new,
        fireside=_fireside_of(known),
    )


def _fireside_of(asset: Asset) -> AssetFiresideBody | msgspec.UnsetType:
    if asset.metadata is None:
        return msgspec.UNSET
    return AssetFiresideBody(metadata=msgspec.json.decode(asset.metadata, type=AssetMetadata))


def checked_path(path: str) -> str:
    """Refuse a path that leads elsewhere; what else a name may not be is looked at when it is recorded."""
    parts = path.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") for part in parts) or _DRIVE.match(path):
        raise Unprocessable("file_path is a name such as `photo.png`, or a relative path without `..`.")
    return path


def expiry(services: Services, expires_in: int | None) -> datetime | None:
    """Say when an asset is to be forgotten."""
    return None if expires_in is None else services.clock() + timedelta(seconds=expires_in)


async def _living(services: Services, user_id: UserId, asset_id: AssetId) -> Asset:
    asset = await asset_of_user(services.store, user_id, asset_id)
    if asset.expires_at is not None and asset.expires_at <= services.clock():
        raise NotFound("There is no such asset.")
    return asset


def _hash_of(text: str) -> BlobHash | None:
    """Read a hash; None for a text that is none, which nothing has."""
    match = _HASH.fullmatch(text.lower())
    return None if match is None else BlobHash(match[1])


def _announced(services: Services, signed: SignedUrl) -> str:
    """Say in the address until when it works, in the one way that the SDKs can read; the token is what counts."""
    seconds = services.config.signed_url_seconds
    signed_at = signed.expires_at - timedelta(seconds=seconds)
    return urlencode({"X-Goog-Date": f"{signed_at:%Y%m%dT%H%M%SZ}", "X-Goog-Expires": seconds})


_NO_ASSET = Answer(text="The caller has no such asset", body=EnvelopeBody)
_NO_BYTES = Answer(text="The caller has no asset with these bytes", body=EnvelopeBody)

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/assets/from-hash",
        handler=from_hash,
        name="assetFromHash",
        text="Make an asset of bytes that the caller has",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        body=FromHashBody,
        answers={
            200: Answer(text="There is one of that name already", body=AssetBody),
            201: Answer(text="Made", body=AssetBody),
            400: Answer(text="The body is no JSON", body=EnvelopeBody),
            404: _NO_BYTES,
            422: Answer(text="A field is not as it should be", body=EnvelopeBody),
        },
    ),
    Route(
        method="HEAD",
        path="/api/v2/assets/by-hash/{hash}",
        handler=head_by_hash,
        name="headAssetByHash",
        text="Say whether the caller has an asset with these bytes",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={200: Answer(text="There is one"), 404: Answer(text="There is none")},
    ),
    Route(
        method="GET",
        path="/api/v2/assets/{id}",
        handler=get_asset,
        name="getAssetV2",
        text="Show an asset",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={200: Answer(text="The asset", body=AssetBody), 404: _NO_ASSET},
    ),
    Route(
        method="DELETE",
        path="/api/v2/assets/{id}",
        handler=remove,
        name="deleteAssetV2",
        text="Forget an asset",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={
            204: Answer(text="Forgotten"),
            404: _NO_ASSET,
            409: Answer(text="A job of the history has made it", body=EnvelopeBody),
        },
    ),
    Route(
        method="GET",
        path="/api/v2/assets/{id}/content",
        handler=content,
        name="getAssetContentV2",
        text="Give the bytes of an asset",
        tag="api v2",
        refusal=Refusal.ENVELOPE,
        answers={
            200: Answer(text="To a session: the bytes", media_types=MEDIA_TYPES),
            206: Answer(text="The range that was asked for", media_types=MEDIA_TYPES),
            302: Answer(text="They are at Location, for a while and for anybody who knows it"),
            304: Answer(text="The client has them already"),
            404: _NO_ASSET,
            416: Answer(text="The range lies outside of the bytes", body=EnvelopeBody),
        },
    ),
)
