"""Asking nodes' own validators for the server, which cannot: they are code on this machine."""

import zlib
from typing import Any

import msgspec
import structlog

from fireside.runtimes.base import NodeRefusal, Runtime
from fireside.wire.fleet import RefusedInput, ValidateNodes, ValidateReply

_log = structlog.get_logger(__name__)


async def validate_nodes(runtime: Runtime, request: ValidateNodes) -> ValidateReply:
    """Ask the runtime; what it cannot answer is refused by nobody here, and shows when the job starts."""
    try:
        graph = msgspec.json.decode(zlib.decompress(request.graph), type=dict[str, Any])
        refused = await runtime.check(graph, request.node_ids)
    except (TimeoutError, zlib.error, msgspec.MsgspecError) as error:
        _log.info("validators not asked", reason=str(error))
        return ValidateReply()
    return ValidateReply(refused={node_id: tuple(map(_refused, said)) for node_id, said in refused.items()})


def _refused(refusal: NodeRefusal) -> RefusedInput:
    return RefusedInput(
        type=refusal.type, message=refusal.message, details=refusal.details, input_name=refusal.input_name
    )
