"""Submit: a workflow goes in, is checked in full, and is on disk before the caller hears of it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash, JobId
from fireside.domain.jobs import Job
from fireside.domain.usage import Quota
from fireside.domain.workers import WorkerWish
from fireside.graphs.asset_references import MissingAsset
from fireside.graphs.choosing import choose_kind
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph, outputs_failed
from fireside.graphs.files import FileReference, file_values, parse_file_value
from fireside.graphs.fingerprint import fingerprint_graph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import Graph, parse_graph
from fireside.graphs.requirements import requirement_id, requirement_of
from fireside.graphs.reuse import Work, work_of
from fireside.graphs.unknown_classes import with_all_unknown
from fireside.graphs.validate import ValidGraph, validate_graph
from fireside.jobs.definitions import KnownKind
from fireside.jobs.desk import Desk
from fireside.jobs.draining import seconds_until_room
from fireside.jobs.references import Resolved, resolve_references
from fireside.jobs.reuse import can_vouch, may_reuse, reuse_job
from fireside.jobs.time_limits import check_wish
from fireside.jobs.validators import ask_validators
from fireside.store.records import IdempotencyKey, JobBody, KeptRequirement, NamedRun, NewJob, StagedInput
from fireside.store.reuse_verbs import Reused
from fireside.store.store import QueueFull
from fireside.traces.context import received

SECRET_NAMES = ("api_key_comfy_org", "auth_token_comfy_org")
"""Credentials of partner nodes: sealed beside the job, never stored or shown with its `extra_data`."""

KEYS_LAST = timedelta(hours=24)
"""How long an idempotency key is remembered after its use."""

_BIG_GRAPH_NODES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a caller wants run, already taken out of their dialect; `graph` is whatever JSON they sent."""

    user: User
    graph: Any
    extra_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    job_id: JobId | None = None
    number: float | None = None
    front: bool = False
    client_id: str | None = None
    workflow_id: str | None = None
    targets: Sequence[str] | None = None
    wish: WorkerWish = field(default_factory=WorkerWish)
    """What the worker must have beside what the graph needs."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the job itself, which its owner finds it by."""
    webhook_url: str | None = None
    """What hears of this job, beside the user's webhooks."""
    key: str | None = None
    """An idempotency key, used up with the job."""
    has_references: bool = False
    """Whether `core/ASSET` objects in the graph stand for the user's assets."""
    is_whole: bool = False
    """Whether a graph is refused of which only some outputs can be made."""
    named_run: NamedRun | None = None
    """What it runs, if that is a saved workflow by its name."""
    reuse: bool = True
    """Whether the job may be answered with what an equal one has made."""
    api_key_id: int | None = None
    """The API key by which it came, which its use is counted for."""
    traceparent: str | None = None
    """The header by which the caller says in whose trace it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The queued job, and what was wrong with the chains that were dropped from it.

    With `reused` it has ended already; the caller tells listeners so once it has answered, by `tell_reused`.
    """

    job: Job
    node_errors: Mapping[str, Any]
    reused: Reused | None = None


async def submit_job(desk: Desk, submission: Submission) -> Submitted:
    """Validate and queue a workflow.

    Raises `InvalidGraph`, `MissingAsset` or `TooLarge` for the workflow, `BadRequest` for a wish in
    `extra_data.fireside`, `DuplicateJob` for an id that is taken, `KeyReused`, `QueueFull`, `OverQuota`,
    `NoDefinitions`, `StorageFull`. Nothing is kept of a submit that raises.
    """
    received_at = desk.clock()
    check_wish(submission.extra_data)
    if submission.webhook_url is not None:
        desk.webhooks.check(submission.webhook_url)
    fleet = await desk.definitions.fleet()
    kinds = fleet.kinds_that(submission.wish)
    limits = GraphLimits(max_nodes=desk.config.max_graph_nodes, max_depth=desk.config.max_graph_depth)
    resolved = Resolved(graph=submission.graph)
    if submission.has_references:
        resolved = await resolve_references(desk.store, submission.user.id, submission.graph, desk.clock())
    try:
        kind, valid, assets = await _check(desk, submission, resolved, kinds, limits)
    except InvalidGraph as error:
        if resolved.missing:
            raise MissingAsset(resolved.missing, node_errors=error.node_errors) from error
        raise
    if resolved.missing:
        raise MissingAsset(resolved.missing, node_errors=valid.node_errors)
    if submission.is_whole and valid.node_errors:
        raise outputs_failed("some of the outputs cannot be made", valid.node_errors)
    work = _work(desk, submission, valid, assets)
    new = _new_job(desk, submission, valid, assets, _requirement(submission, valid, kind))
    if desk.is_traced:
        new = replace(new, timeline=[received(received_at, submission.traceparent)])
    if work is not None:
        new = replace(new, work=work.name)
        # What is made already costs no GPU, so it is no matter whether there is any left.
        free = new if new.quota is None else replace(new, quota=replace(new.quota, gpu_seconds=None))
        reused = await reuse_job(desk, free, work, submission.wish, nodes=list(valid.graph))
        if reused is not None:
            return Submitted(job=reused.job, node_errors=valid.node_errors_body(), reused=reused)
        # Where nobody could vouch for what an equal job makes, waiting for it would be for nothing.
        new = replace(new, joins_equals=can_vouch(desk, work, submission.wish))
    job = await _queue(desk, submission, new)
    await desk.announce(job)
    await desk.wake_dispatch(job.user_id)
    return Submitted(job=job, node_errors=valid.node_errors_body())


async def _check(
    desk: Desk, submission: Submission, resolved: Resolved, kinds: Sequence[KnownKind], limits: GraphLimits
) -> tuple[KnownKind, ValidGraph, dict[str, Asset]]:
    graph = parse_graph(resolved.graph, limits)
    assets = await _find_files(desk, submission.user, graph, await desk.definitions.definitions())
    assets |= resolved.assets
    known = assets.keys() | resolved.known
    try:
        kind, valid = await _validate(graph, kinds, submission.targets, known)
    except InvalidGraph as error:
        if not submission.is_whole:
            raise  # the open-source server names the first one only
        raise with_all_unknown(error, graph, await desk.definitions.definitions()) from error
    refused = await ask_validators(desk, kind, valid.graph)
    if refused:
        valid = validate_graph(graph, kind.definitions, targets=submission.targets, known_files=known, refused=refused)
    return kind, valid, assets


async def _queue(desk: Desk, submission: Submission, new: NewJob) -> Job:
    user = submission.user
    try:
        return await desk.store.add_job(
            new,
            desk.clock(),
            max_queued=user.max_queued or desk.config.max_queued,
            max_queued_in_all=desk.config.max_queued_in_all,
        )
    except QueueFull as error:
        error.retry_after = await seconds_until_room(desk, None if error.is_of_all else user.id)
        raise


async def _find_files(desk: Desk, user: User, graph: Graph, definitions: NodeDefinitions) -> dict[str, Asset]:
    """Find the caller's files that the graph names: value as written -> asset."""
    found: dict[str, Asset] = {}
    by_name: dict[str, FileName] = {}
    for value, folder in file_values(graph, definitions):
        try:
            reference = parse_file_value(value, default_type=folder)
        except BadRequest:
            continue  # validation says of each value that is nobody's file which node it stands in
        if reference.hash is not None:
            asset = await desk.store.asset_by_hash(user.id, BlobHash(reference.hash))
            found |= {value: asset} if asset is not None else {}
        else:
            by_name[value] = _file_name(reference)
    assets = await desk.store.assets_by_files(user.id, set(by_name.values()))
    return found | {value: assets[name] for value, name in by_name.items() if name in assets}


def _file_name(reference: FileReference) -> FileName:
    return FileName(folder=Folder(reference.type), subfolder=reference.subfolder, name=reference.name)


async def _validate(
    graph: Graph, kinds: Sequence[KnownKind], targets: Sequence[str] | None, known_files: Collection[str]
) -> tuple[KnownKind, ValidGraph]:
    if len(graph.nodes) < _BIG_GRAPH_NODES:
        return choose_kind(graph, kinds, targets=targets, known_files=known_files)
    return await asyncio.to_thread(choose_kind, graph, kinds, targets=targets, known_files=known_files)


def _work(desk: Desk, submission: Submission, valid: ValidGraph, assets: Mapping[str, Asset]) -> Work | None:
    """Name what the job is to make, if it may be reused."""
    if not may_reuse(desk, submission.user, wished=submission.reuse):
        return None
    files = {value: str(asset.hash) for value, asset in assets.items()}
    more_classes = desk.config.reuse_classes
    return work_of(valid.graph, valid.outputs, files, submission.wish, more_classes=more_classes)


def _requirement(submission: Submission, valid: ValidGraph, kind: KnownKind) -> KeptRequirement:
    body = requirement_of(valid.graph, kind.definitions, submission.wish).encoded()
    return KeptRequirement(requirement_id(body), body)


def _new_job(
    desk: Desk,
    submission: Submission,
    valid: ValidGraph,
    assets: Mapping[str, Asset],
    requirement: KeptRequirement,
) -> NewJob:
    job_id = submission.job_id or JobId(uuid4())
    secrets = {name: submission.extra_data.get(name) for name in SECRET_NAMES}
    secrets = {name: secret for name, secret in secrets.items() if isinstance(secret, str) and secret}
    shown = {name: value for name, value in submission.extra_data.items() if name not in SECRET_NAMES}
    body = JobBody(
        graph=msgspec.json.encode(valid.graph),
        extra_data=msgspec.json.encode(shown),
        outputs=valid.outputs,
        inputs=tuple(
            StagedInput(value=value, hash=asset.hash, size_bytes=asset.size_bytes) for value, asset in assets.items()
        ),
        sealed_secrets=desk.sealer.seal(msgspec.json.encode(secrets), context=str(job_id)) if secrets else None,
    )
    return NewJob(
        id=job_id,
        user_id=submission.user.id,
        body=body,
        number=submission.number,
        front=submission.front,
        workflow_id=submission.workflow_id or _workflow_id(submission.extra_data),
        client_id=submission.client_id,
        fingerprint=fingerprint_graph(valid.graph),
        requirement=requirement,
        labels=submission.labels,
        webhook_url=submission.webhook_url,
        key=None if submission.key is None else submit_key(submission.key, desk.clock()),
        named_run=submission.named_run,
        api_key_id=submission.api_key_id,
        quota=_quota(desk, submission.user),
    )


def quota_of(config: Config, user: User) -> Quota:
    """Say what the user may use in a month, and store: by limits of their own, or else by the server's."""
    gpu_seconds = config.quota_gpu_seconds if user.quota_gpu_seconds is None else user.quota_gpu_seconds
    jobs = config.quota_jobs if user.quota_jobs is None else user.quota_jobs
    stored_bytes = config.quota_bytes if user.quota_bytes is None else user.quota_bytes
    return Quota(gpu_seconds=gpu_seconds or None, jobs=jobs or None, stored_bytes=stored_bytes or None)


def submit_key(key: str, now: datetime) -> IdempotencyKey:
    """Give the key of a submit, as the store knows it."""
    return IdempotencyKey(route="jobs", key=key, expired_at=now - KEYS_LAST)


def _quota(desk: Desk, user: User) -> Quota | None:
    quota = quota_of(desk.config, user)
    return None if quota == Quota() else quota


def _workflow_id(extra_data: Mapping[str, Any]) -> str | None:
    """Find `extra_pnginfo.workflow.id`, which the editor sends; anything may be missing or of another type."""
    value: Any = extra_data
    for key in ("extra_pnginfo", "workflow", "id"):
        value = value.get(key) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) and value else None
