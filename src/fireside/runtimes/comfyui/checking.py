"""Asks the bridge what nodes' own validators say, and for memory that is really free."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog

from fireside.runtimes.base import NodeRefusal
from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import BRIDGE, NoAnswer, ask, ask_json

_CHECK_SECONDS = 5.0
_FREE_SECONDS = 40.0
# Time for the answer itself.
_MARGIN_SECONDS = 1.0
_UNSUPPORTED = 501
_TOO_LATE = {503, 504}
_log = structlog.get_logger(__name__)


class _Extra(msgspec.Struct, frozen=True, kw_only=True):
    input_name: str | None = None


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    message: str
    details: str
    extra_info: _Extra


async def check(
    home: Home, graph: Mapping[str, Any], node_ids: Sequence[str], *, seconds: float = _CHECK_SECONDS
) -> Mapping[str, tuple[NodeRefusal, ...]]:
    """Ask ComfyUI's own validation about those nodes; see the contract.

    Refuses nothing where it cannot be asked: without the bridge, such failures show when the job starts.
    """
    headers = home.bridge_headers
    if headers is None or not node_ids:
        return {}
    body = {"graph": graph, "nodes": list(node_ids), "seconds": seconds}
    try:
        answer = await ask(home.url, f"{BRIDGE}/check", seconds=seconds + _MARGIN_SECONDS, headers=headers, body=body)
    except NoAnswer as error:
        raise TimeoutError(f"The nodes' own validators were not asked: {error}") from error
    if answer.status_code in _TOO_LATE:
        raise TimeoutError(f"The nodes' own validators did not answer within {seconds:g} s.")
    if not answer.is_success:
        _log.warning("nodes were not validated", status=answer.status_code, nodes=list(node_ids))
        return {}
    refused = msgspec.json.decode(answer.content, type=dict[str, list[_Error]])
    return {node_id: tuple(_refusal(error) for error in errors) for node_id, errors in refused.items()}


async def free(home: Home) -> None:
    """Unload the models and empty the caches; what is queued afterwards runs afterwards.

    Waits for a task that runs. Raises `NoAnswer`. An attached ComfyUI does it soon, perhaps not before the next task.
    """
    headers = home.bridge_headers
    if headers is not None:
        await ask_json(home.url, f"{BRIDGE}/free", seconds=_FREE_SECONDS, headers=headers, body={})
        return
    answer = await ask(home.url, "/free", seconds=_FREE_SECONDS, body={"unload_models": True, "free_memory": True})
    if not answer.is_success:
        raise NoAnswer(f"/free was answered with status {answer.status_code}")


def _refusal(error: _Error) -> NodeRefusal:
    return NodeRefusal(
        type=error.type, message=error.message, details=error.details, input_name=error.extra_info.input_name
    )
