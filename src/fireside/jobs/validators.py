"""Nodes' own validators: code that only a worker has, asked over the bus before a job is queued.

Nobody waits for long, and no answer is no refusal: what was not asked then shows when the job starts. Nodes that read
the caller's files are left out, because the files are not there yet.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from fireside.bus.errors import BusError, NobodyListens
from fireside.bus.subjects import work
from fireside.graphs.definitions import NodeDefinition
from fireside.graphs.links import is_wrapped
from fireside.graphs.problems import Problem
from fireside.jobs.definitions import KnownKind
from fireside.jobs.desk import Desk
from fireside.wire.fleet import RefusedInput, ValidateNodes, ValidateReply

_MOST_BYTES = 900_000
"""The bus carries a little more in one message."""
_MOST_ASKED = 3
_FASTEST = 1
_log = structlog.get_logger(__name__)


async def ask_validators(desk: Desk, kind: KnownKind, graph: Mapping[str, Any]) -> Mapping[str, Sequence[Problem]]:
    """Ask a worker of the kind about those nodes of a valid graph that have a validator; give the refused ones."""
    node_ids = [node_id for node_id, node in graph.items() if _is_asked(kind, node)] if kind.validators else []
    if not node_ids:
        return {}
    packed = zlib.compress(msgspec.json.encode(graph), _FASTEST)
    payload = msgspec.json.encode(ValidateNodes(graph=packed, node_ids=tuple(node_ids)))
    if len(payload) > _MOST_BYTES:
        _log.info("validators not asked", reason="the workflow is too large for the bus", nodes=len(graph))
        return {}
    for worker in sorted(kind.workers, key=lambda one: one.seen_at, reverse=True)[:_MOST_ASKED]:
        try:
            answer = await desk.bus.request(work(worker.id), payload, timeout=desk.config.validator_seconds)
            refused = msgspec.json.decode(answer, type=ValidateReply).refused
        except NobodyListens:
            continue
        except (BusError, msgspec.MsgspecError) as error:
            _log.info("validators not asked", worker_id=worker.id, reason=str(error))
            break
        return {node_id: [_problem(one) for one in said] for node_id, said in refused.items() if node_id in node_ids}
    return {}


def _is_asked(kind: KnownKind, node: Mapping[str, Any]) -> bool:
    definition = kind.definitions.get(node["class_type"])
    return definition is not None and definition.name in kind.validators and not _reads_files(definition, node)


def _reads_files(definition: NodeDefinition, node: Mapping[str, Any]) -> bool:
    inputs: Mapping[str, Any] = node.get("inputs") or {}
    return any(
        declared.file_kind is not None and declared.name in inputs and _is_literal(inputs[declared.name])
        for declared in definition.inputs_for(inputs)[0]
    )


def _is_literal(value: Any) -> bool:
    return is_wrapped(value) or not isinstance(value, list)


def _problem(refused: RefusedInput) -> Problem:
    extra_info = {} if refused.input_name is None else {"input_name": refused.input_name}
    return {
        "type": refused.type,
        "message": refused.message,
        "details": refused.details,
        "extra_info": extra_info,
    }
