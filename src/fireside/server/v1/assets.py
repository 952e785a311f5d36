"""Assets over the Cloud API v1: the list, one of them, its bytes and what made it, and changes to it.

An asset that is not there, is somebody else's, or cannot be by its name, is not found, everywhere alike. How one comes
to be is in `assets_uploads`, tags are in `assets_tags`.
"""

from typing import Any

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.embedded import what_made
from fireside.assets.records import asset_of_user, change_asset, delete_asset
from fireside.domain.accounts import PrincipalKind
from fireside.domain.asset_listing import AssetFilter, AssetPage, AssetSort, AssetWindow
from fireside.domain.assets import Asset
from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import AssetId
from fireside.server.answers import json_answer
from fireside.server.callers import caller_of, services_of, user_of
from fireside.server.giving import give_blob
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Refusal, Route
from fireside.server.v1 import views
from fireside.server.v1.assets_query import asset_id_of, filter_of, window_of, write_cursor
from fireside.server.v1.assets_rendering import body_of, made_body_of
from fireside.server.v1.files_library import library_of
from fireside.server.v1.rendering import job_id_of
from fireside.store.asset_verbs import AssetChange
from fireside.wire.refusals import AssetRefusalBody
from fireside.wire.v1_assets import (
    AssetBody,
    AssetsBody,
    AssetsQuery,
    AssetWorkflowBody,
    ChangeAssetBody,
    ContentQuery,
    JobAssetsBody,
    JobAssetsQuery,
)
from fireside.wire.v1_jobs import PaginationBody


async def list_assets(request: Request) -> Response:
    """List the caller's assets that match, with their exact total."""
    query = read_query(request, AssetsQuery)
    window = window_of(query)
    page = await services_of(request).store.list_assets(user_of(request).id, filter_of(query), window)
    return await _page(request, page, window)


async def list_job_assets(request: Request) -> Response:
    """List what a job has made, in the order it came."""
    query = read_query(request, JobAssetsQuery)
    services, user = services_of(request), user_of(request)
    job = await services.desk.job_of(user.id, job_id_of(request.path_params["job_id"]))
    window = AssetWindow(sort=AssetSort.CREATED_AT, descending=False, offset=query.offset, limit=query.limit)
    page = await services.store.list_assets(user.id, AssetFilter(job_ids=frozenset({job.id})), window)
    made = await services.store.with_metadata(page.assets)
    body = JobAssetsBody(
        job_id=job.id,
        assets=[made_body_of(asset, services.public_url) for asset in made],
        pagination=PaginationBody(
            offset=query.offset, limit=query.limit, total=page.total, has_more=page.next_after is not None
        ),
    )
    return json_answer(body)


async def show_asset(request: Request) -> Response:
    """Show an asset."""
    services = services_of(request)
    asset = await asset_of_user(services.store, user_of(request).id, _asset_id(request))
    return await _shown(request, asset)


async def update_asset(request: Request) -> Response:
    """Change what of an asset can be changed."""
    library, user_id, asset_id = library_of(request), user_of(request).id, _asset_id(request)
    # First of all, or the answer to a wrong body would tell that it is there.
    await asset_of_user(library.store, user_id, asset_id)
    change = _change_of(await read_body(request, ChangeAssetBody))
    _, asset = await change_asset(library, user_id, asset_id, change)
    return await _shown(request, asset)


async def remove_asset(request: Request) -> Response:
    """Forget an asset; bytes that something else refers to stay."""
    await delete_asset(services_of(request).store, user_of(request).id, _asset_id(request))
    return Response(status_code=204)


async def show_content(request: Request) -> Response:
    """Give the bytes of an asset."""
    query, services = read_query(request, ContentQuery), services_of(request)
    asset = await asset_of_user(services.store, user_of(request).id, _asset_id(request))
    services.accesses.note(asset)
    return await give_blob(
        request,
        asset.hash,
        filename=asset.title,
        content_type=asset.content_type,
        size_bytes=asset.size_bytes,
        disposition=query.disposition,
        is_sent_on=caller_of(request).kind is PrincipalKind.KEY,
    )


async def show_workflow(request: Request) -> Response:
    """Show the workflow that an asset was made by, as the file itself or its job tells it."""
    library, user = library_of(request), user_of(request)
    asset = await asset_of_user(library.store, user.id, _asset_id(request))
    made = await what_made(library, asset)
    if made is None:
        raise NotFound("Nothing is known of what made this asset: its file tells nothing, and no job made it.")
    return json_answer(AssetWorkflowBody(workflow=made.workflow, prompt=made.prompt, source=made.source))


async def _shown(request: Request, asset: Asset) -> Response:
    services = services_of(request)
    (known,) = await services.store.with_metadata([asset])
    return json_answer(body_of(known, services.public_url))


async def _page(request: Request, page: AssetPage, window: AssetWindow) -> Response:
    services = services_of(request)
    next_after = page.next_after
    body = AssetsBody(
        assets=[body_of(asset, services.public_url) for asset in await services.store.with_metadata(page.assets)],
        total=page.total,
        has_more=next_after is not None,
        next_cursor=UNSET if next_after is None else write_cursor(next_after, window),
    )
    return json_answer(body)


def _change_of(body: ChangeAssetBody) -> AssetChange:
    given: dict[str, Any] = {
        name: value for name in ("tags", "mime_type", "preview_id") if (value := getattr(body, name)) is not UNSET
    }
    if body.name is not UNSET:
        given["title"] = body.name
    if body.user_metadata is not UNSET:
        given["user_metadata"] = msgspec.json.encode(body.user_metadata)
    if not given:
        raise BadRequest("Send at least one of name, tags, mime_type, preview_id and user_metadata.")
    if "preview_id" in given:
        given["preview_id"] = given["preview_id"] or False
    return AssetChange(**given)


def _asset_id(request: Request) -> AssetId:
    return asset_id_of(request.path_params["id"])


NOT_FOUND = Answer(text="The caller has no such asset", body=AssetRefusalBody)
MALFORMED = Answer(text="A parameter or the body is not as it should be", body=AssetRefusalBody)
TAG = "asset"


def asset_route(**row: Any) -> Route:
    """Make a row in which assets' refusals have their shape."""
    return Route(tag=TAG, refusal=Refusal.ASSET, **row)


LISTS: tuple[Route, ...] = (
    asset_route(
        method="GET",
        path="/api/assets",
        handler=list_assets,
        name="listAssets",
        text="List the caller's assets, filtered, sorted and in pages",
        query=AssetsQuery,
        answers={200: Answer(text="The assets", body=AssetsBody), 400: MALFORMED},
    ),
    asset_route(
        method="GET",
        path="/api/jobs/{job_id}/assets",
        handler=list_job_assets,
        name="listJobAssets",
        text="List what a job has made",
        query=JobAssetsQuery,
        answers={
            200: Answer(text="The assets, in the order they came", body=JobAssetsBody),
            400: MALFORMED,
            404: Answer(text="The caller has no such job", body=AssetRefusalBody),
        },
    ),
)
ONES: tuple[Route, ...] = (
    asset_route(
        method="GET",
        path="/api/assets/{id}",
        handler=show_asset,
        name="getAssetById",
        text="Show an asset",
        answers={200: Answer(text="The asset", body=AssetBody), 404: NOT_FOUND},
    ),
    asset_route(
        method="PUT",
        path="/api/assets/{id}",
        handler=update_asset,
        name="updateAsset",
        text="Change an asset's name, tags, type, preview or metadata",
        body=ChangeAssetBody,
        answers={200: Answer(text="The asset as it is now", body=AssetBody), 400: MALFORMED, 404: NOT_FOUND},
    ),
    asset_route(
        method="DELETE",
        path="/api/assets/{id}",
        handler=remove_asset,
        name="deleteAsset",
        text="Delete an asset",
        answers={204: Answer(text="It is gone"), 404: NOT_FOUND},
    ),
    asset_route(
        method="GET",
        path="/api/assets/{id}/content",
        handler=show_content,
        name="getAssetContent",
        text="Download an asset",
        query=ContentQuery,
        token_in_query=True,
        answers={
            200: Answer(text="The file", media_types=views.MEDIA_TYPES),
            206: Answer(text="The range that was asked for", media_types=views.MEDIA_TYPES),
            302: Answer(text="To a program, where files are in a bucket: it is at Location, for a while"),
            304: Answer(text="The client has it already"),
            400: MALFORMED,
            404: NOT_FOUND,
            416: Answer(text="The range lies outside of the file"),
        },
    ),
    asset_route(
        method="GET",
        path="/api/assets/{id}/workflow",
        handler=show_workflow,
        name="getAssetWorkflow",
        text="Show the workflow that an asset was made by",
        answers={
            200: Answer(text="The workflow", body=AssetWorkflowBody),
            404: Answer(text="The caller has no such asset, or nothing made it", body=AssetRefusalBody),
        },
    ),
)
