"""What a job is to its worker: the graph, links to the inputs, and the secrets opened for it alone."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

import msgspec

from fireside.blobs.signing import DownloadClaims
from fireside.blobs.sniff import OCTET_STREAM
from fireside.domain.accounts import User
from fireside.domain.ids import BlobHash
from fireside.domain.jobs import Job
from fireside.domain.models import ModelName, RegisteredModel
from fireside.jobs.desk import Desk
from fireside.jobs.time_limits import time_limit_of
from fireside.store.records import JobBody, StagedInput
from fireside.wire.fleet import InputFile, ModelHosts, NeededModel, WorkBody

_STAGING = timedelta(hours=1)


def work_of(desk: Desk, job: Job, body: JobBody, user: User | None) -> WorkBody:
    """Put together what the holder of the user's job is to run."""
    models = _model_files(desk, body)
    return WorkBody(
        graph=msgspec.Raw(body.graph),
        extra_data=msgspec.Raw(body.extra_data),
        outputs=body.outputs,
        inputs=tuple(_input_file(desk, staged) for staged in body.inputs),
        secrets=_secrets(desk, job, body),
        time_limit=time_limit_of(desk.config, user, body),
        models=models,
        model_hosts=_model_hosts(desk, models),
    )


def _input_file(desk: Desk, staged: StagedInput) -> InputFile:
    return InputFile(
        value=staged.value,
        hash=staged.hash,
        size_bytes=staged.size_bytes,
        url=_link(desk, staged.hash, "input"),
    )


def _link(desk: Desk, blob_hash: BlobHash, filename: str) -> str:
    claims = DownloadClaims(
        hash=blob_hash,
        filename=filename,
        content_type=OCTET_STREAM,
        expires_at=desk.clock() + _STAGING,
        is_for_machine=True,
    )
    return f"/files/{desk.signer.sign(claims)}"


def _model_files(desk: Desk, body: JobBody) -> tuple[NeededModel, ...]:
    """Give the models of the registry that the graph names, each once."""
    fleet = desk.definitions.known
    if not fleet.registry or not fleet.fetches:
        return ()
    graph = msgspec.json.decode(body.graph, type=dict[str, Any])
    found: dict[ModelName, NeededModel] = {}
    for node_id, class_type, name in _named_models(graph, fleet.fetches):
        model = fleet.registry.models.get(name)
        if model is not None and name not in found:
            found[name] = _model_file(desk, model, node_id, class_type)
    return tuple(found.values())


def _named_models(
    graph: Mapping[str, Any], fetches: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, ModelName]]:
    for node_id, node in graph.items():
        class_type, inputs = node["class_type"], cast("Mapping[str, Any]", node.get("inputs") or {})
        for name, folder in fetches.get(class_type, {}).items():
            if isinstance(inputs.get(name), str):
                yield node_id, class_type, ModelName(folder, inputs[name])


def _model_file(desk: Desk, model: RegisteredModel, node_id: str, class_type: str) -> NeededModel:
    return NeededModel(
        folder=model.name.folder,
        name=model.name.name,
        hash=model.hash,
        size_bytes=model.size_bytes,
        url=model.source_url or _link(desk, model.hash, "model"),
        node_id=node_id,
        node_type=class_type,
    )


def _model_hosts(desk: Desk, models: tuple[NeededModel, ...]) -> ModelHosts:
    if all(one.url.startswith("/") for one in models):
        return ModelHosts()
    return ModelHosts(hosts=desk.config.model_hosts, private_hosts=desk.config.outbound_private_hosts)


def _secrets(desk: Desk, job: Job, body: JobBody) -> dict[str, str]:
    if body.sealed_secrets is None:
        return {}
    return msgspec.json.decode(desk.sealer.open(body.sealed_secrets, context=str(job.id)), type=dict[str, str])
