"""The worker's side of the edge: join, fetch the work it holds, upload bytes, show outputs.

A worker is known by its token and may touch only the jobs whose lease it shows. Reports of start and end come over the
bus to `FleetReports`, everything with a body over HTTP.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.uploads import hold_blob
from fireside.blobs.base import is_blob_hash
from fireside.domain.errors import BadRequest, NotFound
from fireside.domain.ids import BlobHash, JobId
from fireside.domain.jobs import Lease
from fireside.domain.workers import Topic, Worker
from fireside.graphs.definitions import decode_object_info
from fireside.jobs.read import read_work
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, worker_of
from fireside.server.fleet_outputs import take_output
from fireside.server.fleet_rows import fleet_route
from fireside.server.reading import decode_json, read_body, read_bytes, read_query
from fireside.server.routes import Answer, Handler
from fireside.store.records import Publication
from fireside.wire.fleet import (
    LeaseQuery,
    OutputBody,
    RegistryHashes,
    WorkBody,
)
from fireside.wire.fleet_joining import EditorFilesBody, JoinBody, JoinReply, ModelFileBody, SubgraphBody
from fireside.wire.fleet_uploads import PART_BYTES_HEADER, BlobBody

_PUBLICATION_BYTES = 128 * 1024 * 1024
_CHECKS: Mapping[Topic, Callable[[bytes], object]] = {
    Topic.DEFINITIONS: decode_object_info,
    Topic.MODELS: lambda content: decode_json(content, dict[str, list[ModelFileBody]]),
    Topic.VALIDATORS: lambda content: decode_json(content, list[str]),
    Topic.SNAPSHOT: lambda content: decode_json(content, dict[str, Any]),
    Topic.SUBGRAPHS: lambda content: decode_json(content, list[SubgraphBody]),
    Topic.EDITOR: lambda content: decode_json(content, EditorFilesBody),
}


async def join(request: Request) -> Response:
    """Remember the worker as it is after this start."""
    services, body = services_of(request), await read_body(request, JoinBody)
    worker = Worker(
        id=worker_of(request),
        boot_id=body.boot_id,
        runtime=body.runtime,
        version=body.version,
        definitions_hash=body.definitions_hash,
        models_hash=body.models_hash,
        validators_hash=body.validators_hash,
        snapshot_hash=body.snapshot_hash,
        subgraphs_hash=body.subgraphs_hash,
        editor_hash=body.editor_hash,
        labels=body.labels,
        joined_at=services.clock(),
        system=body.system,
        devices=body.devices,
    )
    # Saved before it is asked what is known: what a worker names is not tidied away.
    await services.store.save_worker(worker)
    wanted = await services.store.unknown_publications(worker.publications)
    await services.desk.definitions.refresh()
    return json_answer(JoinReply(wants=tuple(topic.value for topic in wanted)))


def _publishing(topic: Topic) -> Handler:
    """Take what a worker publishes, if it can be read: it is remembered for whoever publishes the same."""

    async def put(request: Request) -> Response:
        services, wanted = services_of(request), str(request.path_params["hash"])
        content = await read_bytes(request, _PUBLICATION_BYTES)
        if blake3(content).hexdigest() != wanted:
            raise BadRequest(f"This is not the {topic} of that hash.")
        await asyncio.to_thread(_CHECKS[topic], content)
        worker = await services.store.worker(worker_of(request))
        if worker is None or worker.publications.get(topic) != wanted:
            raise NotFound(f"Join first, and name this {topic} then.")
        await services.store.publish(Publication(topic=topic, hash=wanted, body=content), services.clock())
        await services.desk.definitions.refresh()
        return Response(status_code=204)

    return put


async def get_work(request: Request) -> Response:
    """Give the holder of a lease what it is to run."""
    services, asked = services_of(request), read_query(request, LeaseQuery)
    lease = Lease(job_id=_job_id(request), attempt=asked.attempt, fence=asked.fence)
    return json_answer(await read_work(services.desk, worker_of(request), lease))


async def get_models(request: Request) -> Response:
    """Say which models are in the registry, so that workers drop what is not."""
    models = await services_of(request).store.models()
    return json_answer(RegistryHashes(hashes=tuple(sorted({str(one.hash) for one in models}))))


async def has_blob(request: Request) -> Response:
    """Say whether the bytes of a hash are here, so that nobody sends them twice; then they stay until the record."""
    wanted = BlobHash(str(request.path_params["hash"]))
    blobs = services_of(request).blobs
    async with hold_blob(wanted):
        found = await blobs.claim(wanted)
    if found is None and blobs.direct is not None:
        return Response(status_code=404, headers={PART_BYTES_HEADER: str(blobs.direct.part_bytes)})
    if found is None:
        raise NotFound("These bytes are not stored here.")
    return Response(headers={"Content-Length": str(found.size_bytes)})


async def put_blob(request: Request) -> Response:
    """Take bytes under their hash."""
    services, wanted = services_of(request), str(request.path_params["hash"])
    if not is_blob_hash(wanted):
        raise BadRequest("A hash is 64 lowercase hexadecimal digits.")
    limit = services.config.max_upload_bytes
    written = await services.blobs.write(request.stream(), limit_bytes=limit, expected=BlobHash(wanted))
    return json_answer(BlobBody(hash=written.hash, size_bytes=written.size_bytes))


async def post_output(request: Request) -> Response:
    """Take down what a node has shown, with the files it made."""
    services, body = services_of(request), await read_body(request, OutputBody)
    if body.lease.job_id != _job_id(request):
        raise BadRequest("The lease is of another job.")
    await take_output(services, worker_of(request), body)
    return Response(status_code=204)


def _job_id(request: Request) -> JobId:
    try:
        return JobId(UUID(str(request.path_params["job_id"])))
    except ValueError as error:
        raise NotFound("there is no such job") from error


ROUTES = (
    fleet_route("PUT", "/fleet/worker", join, "joinFleet", "Join", {200: Answer(text="Joined", body=JoinReply)}),
    *(
        fleet_route(
            "PUT",
            f"/fleet/{topic}/{{hash}}",
            _publishing(topic),
            f"publish{topic.capitalize()}",
            f"Publish {topic}",
            {},
        )
        for topic in Topic
    ),
    fleet_route(
        "GET", "/fleet/jobs/{job_id}", get_work, "getWork", "Fetch a job", {200: Answer(text="Work", body=WorkBody)}
    ),
    fleet_route(
        "GET",
        "/fleet/models",
        get_models,
        "getRegistry",
        "Ask which models there are",
        {200: Answer(text="Their hashes", body=RegistryHashes)},
    ),
    fleet_route(
        "PUT", "/fleet/blobs/{hash}", put_blob, "putBlob", "Upload bytes", {200: Answer(text="Stored", body=BlobBody)}
    ),
    fleet_route("HEAD", "/fleet/blobs/{hash}", has_blob, "hasBlob", "Ask for bytes", {}),
    fleet_route("POST", "/fleet/jobs/{job_id}/outputs", post_output, "addOutput", "Show a node's output", {}),
)
"""Only workers may call them; they are the server's own business and in no document."""
