"""What a source says of a file before anybody fetches it."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.importing import filename_of
from fireside.outbound.errors import FetchFailed, SourceMissing, SourceRefuses
from fireside.outbound.purposes import look_patience
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_query
from fireside.server.routes import Answer, Route
from fireside.server.services import Services
from fireside.server.v1.assets import asset_route
from fireside.wire.refusals import AssetRefusalBody
from fireside.wire.tasks import RemoteMetadataBody, RemoteMetadataQuery, RemoteProblem, RemoteValidation

# A length is read up to twenty digits.
_ANY_SIZE = 10**20


async def show_remote_metadata(request: Request) -> Response:
    """Ask the source for the file and read no more than the head of its answer."""
    services, url = services_of(request), read_query(request, RemoteMetadataQuery).url
    try:
        with services.import_turns.taken(user_of(request).id):
            length, headers = await _look(services, url)
    except (SourceRefuses, SourceMissing) as error:
        raise FetchFailed(error.message) from error
    name = filename_of(url, headers)
    most = services.config.max_upload_bytes
    errors = (
        [RemoteProblem(code="FILE_TOO_LARGE", message=f"At most {most} bytes are taken.", field="content_length")]
        if length is not None and length > most
        else []
    )
    return json_answer(
        RemoteMetadataBody(
            content_length=-1 if length is None else length,
            content_type=headers.get("content-type", "application/octet-stream").partition(";")[0].strip(),
            filename=name,
            name=name.rpartition(".")[0] or name,
            tags=[],
            validation=RemoteValidation(is_valid=not errors, errors=errors),
        )
    )


async def _look(services: Services, url: str) -> tuple[int | None, Mapping[str, str]]:
    async with services.imports.get(url, limit_bytes=_ANY_SIZE, patience=look_patience(services.config)) as fetched:
        return fetched.content_length, fetched.headers


ROUTES: tuple[Route, ...] = (
    asset_route(
        method="GET",
        path="/api/assets/remote-metadata",
        handler=show_remote_metadata,
        name="getRemoteAssetMetadata",
        text="Say what a source tells of a file, without fetching it",
        query=RemoteMetadataQuery,
        answers={
            200: Answer(text="What it tells", body=RemoteMetadataBody),
            400: Answer(text="This is no URL that anything could be fetched from", body=AssetRefusalBody),
            403: Answer(text="The operator does not allow this host", body=AssetRefusalBody),
            422: Answer(text="The source did not answer as it should", body=AssetRefusalBody),
            429: Answer(text="The caller waits for as many fetches as they may", body=AssetRefusalBody),
        },
    ),
)
