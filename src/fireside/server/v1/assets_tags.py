"""Tags over the Cloud API v1: those of an asset, those of all assets, and how often they occur."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.records import asset_of_user, change_asset
from fireside.domain.assets import Asset
from fireside.domain.errors import BadRequest
from fireside.domain.tags import normalize_tags
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Answer, Route
from fireside.server.v1.assets import MALFORMED, NOT_FOUND, asset_route
from fireside.server.v1.assets_query import asset_id_of, filter_of
from fireside.server.v1.files_library import library_of
from fireside.store.asset_verbs import AssetChange
from fireside.wire.v1_assets import (
    RefineQuery,
    TagBody,
    TagCountsBody,
    TagsAddedBody,
    TagsBody,
    TagsChangeBody,
    TagsQuery,
    TagsRemovedBody,
)


async def add_tags(request: Request) -> Response:
    """Put tags on an asset."""
    tags = await _tags(request)
    before, after = await _change(request, AssetChange(add_tags=tags))
    return json_answer(
        TagsAddedBody(
            added=[tag for tag in tags if tag not in before.tags],
            already_present=[tag for tag in tags if tag in before.tags],
            total_tags=list(after.tags),
        )
    )


async def remove_tags(request: Request) -> Response:
    """Take tags off an asset."""
    tags = await _tags(request)
    before, after = await _change(request, AssetChange(remove_tags=tags))
    return json_answer(
        TagsRemovedBody(
            removed=[tag for tag in tags if tag in before.tags],
            not_present=[tag for tag in tags if tag not in before.tags],
            total_tags=list(after.tags),
        )
    )


async def list_tags(request: Request) -> Response:
    """List the tags of the caller's assets, with how many assets have each."""
    query, store, user_id = read_query(request, TagsQuery), services_of(request).store, user_of(request).id
    counts = dict(await store.count_tags(user_id))
    if query.include_zero:
        counts = dict.fromkeys(await store.known_tags(user_id), 0) | counts
    prefix = query.prefix.strip().lower()
    found = {tag: count for tag, count in counts.items() if tag.startswith(prefix)}
    names = sorted(found) if query.order == "name_asc" else _by_count(found)
    page = names[query.offset : query.offset + query.limit]
    return json_answer(
        TagsBody(
            tags=[TagBody(name=name, count=found[name]) for name in page],
            total=len(names),
            has_more=query.offset + len(page) < len(names) and bool(page),
        )
    )


async def count_tags(request: Request) -> Response:
    """Say how many of the assets that match have each tag."""
    query = read_query(request, RefineQuery)
    counts = await services_of(request).store.count_tags(user_of(request).id, filter_of(query))
    return json_answer(TagCountsBody(tag_counts={tag: counts[tag] for tag in _by_count(counts)[: query.limit]}))


async def _tags(request: Request) -> list[str]:
    # First of all, or the answer to a wrong body would tell that the asset is there.
    await asset_of_user(services_of(request).store, user_of(request).id, asset_id_of(request.path_params["id"]))
    tags = list(normalize_tags((await read_body(request, TagsChangeBody)).tags))
    if not tags:
        raise BadRequest("Name at least one tag that is not empty.")
    return tags


async def _change(request: Request, change: AssetChange) -> tuple[Asset, Asset]:
    asset_id = asset_id_of(request.path_params["id"])
    return await change_asset(library_of(request), user_of(request).id, asset_id, change)


def _by_count(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda tag: (-counts[tag], tag))


ROUTES: tuple[Route, ...] = (
    asset_route(
        method="GET",
        path="/api/tags",
        handler=list_tags,
        name="listTags",
        text="List the tags of the caller's assets",
        query=TagsQuery,
        answers={200: Answer(text="The tags", body=TagsBody), 400: MALFORMED},
    ),
    asset_route(
        method="GET",
        path="/api/assets/tags/refine",
        handler=count_tags,
        name="getAssetTagHistogram",
        text="Count the tags of the assets that match",
        query=RefineQuery,
        answers={200: Answer(text="The counts", body=TagCountsBody), 400: MALFORMED},
    ),
    asset_route(
        method="POST",
        path="/api/assets/{id}/tags",
        handler=add_tags,
        name="addAssetTags",
        text="Put tags on an asset",
        body=TagsChangeBody,
        answers={200: Answer(text="What has changed", body=TagsAddedBody), 400: MALFORMED, 404: NOT_FOUND},
    ),
    asset_route(
        method="DELETE",
        path="/api/assets/{id}/tags",
        handler=remove_tags,
        name="removeAssetTags",
        text="Take tags off an asset",
        body=TagsChangeBody,
        answers={200: Answer(text="What has changed", body=TagsRemovedBody), 400: MALFORMED, 404: NOT_FOUND},
    ),
)
