"""Assets by the URL of their bytes, which are fetched while the caller waits."""

import msgspec
from starlette.requests import Request

from fireside.assets.importing import Source, import_asset
from fireside.assets.records import Wish, check_wish
from fireside.domain.assets import Recorded
from fireside.domain.ids import AssetId
from fireside.outbound.purposes import import_patience
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body
from fireside.server.v1.files_library import library_of
from fireside.wire.tasks import ImportBody


async def import_named(request: Request) -> Recorded:
    """Fetch the file that the body names and record it; raises what the fetch and the record are refused with."""
    services, body = services_of(request), await read_body(request, ImportBody)
    config = services.config
    wish = Wish(
        user_id=user_of(request).id,
        name=body.name or None,
        tags=body.tags or (),
        user_metadata=msgspec.json.encode(body.user_metadata or {}),
        mime_type=body.mime_type or None,
        preview_id=AssetId(body.preview_id) if body.preview_id else None,
    )
    await check_wish(services.store, wish)
    source = Source(url=body.url, limit_bytes=config.max_upload_bytes, patience=import_patience(config))
    with services.import_turns.taken(wish.user_id):
        return await import_asset(library_of(request), services.imports, source, wish)
