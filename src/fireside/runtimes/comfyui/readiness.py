"""Whether a ComfyUI that was just started answers, is the one we started, and has our bridge in it."""

from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from fireside.runtimes.comfyui.http import BRIDGE, NoAnswer, ask, ask_json

_LOOK_SECONDS = 5.0
_NOT_FOUND = 404


class BridgeState(StrEnum):
    """What a look at a ComfyUI found."""

    SILENT = "silent"  # no answer yet, or not ours
    THERE = "there"
    MISSING = "missing"  # it answers, but did not load our node pack


async def look(url: str, token: str, folder: Path) -> BridgeState:
    """Ask once. Only the bridge knows the token; without it, the command line tells whose ComfyUI answers."""
    try:
        answer = await ask(url, f"{BRIDGE}/hello", seconds=_LOOK_SECONDS, headers={"x-fireside-token": token})
        if answer.is_success:
            return BridgeState.THERE
        if answer.status_code != _NOT_FOUND:
            return BridgeState.SILENT
        stats = await ask_json(url, "/system_stats", seconds=_LOOK_SECONDS)
    except NoAnswer:
        return BridgeState.SILENT
    return BridgeState.MISSING if _is_in(folder, stats) else BridgeState.SILENT


def _is_in(folder: Path, stats: Any) -> bool:
    system = cast("dict[str, Any]", stats).get("system") if isinstance(stats, dict) else None
    words = cast("dict[str, Any]", system).get("argv") if isinstance(system, dict) else None
    return words is None or str(folder / "user") in cast("list[Any]", words)
