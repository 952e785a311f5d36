"""The subgraph blueprints that a ComfyUI's node packs bring along for its editor, read through its own routes."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from fireside.runtimes.base import Subgraph
from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import NoAnswer, ask_json

_ASK_SECONDS = 60.0
_MOST = 500
_MOST_BYTES_OF_ONE = 2 * 1024 * 1024
_MOST_BYTES = 32 * 1024 * 1024
_AT_ONCE = 4


class _Info(msgspec.Struct, frozen=True):
    node_pack: str


class _Entry(msgspec.Struct, frozen=True):
    name: str
    info: _Info
    data: str = ""


async def read_subgraphs(home: Home) -> tuple[Subgraph, ...]:
    """Ask for all blueprints, sorted by node pack and name; none where ComfyUI is too old to have any.

    What is odd or too large is left out: it is a convenience of the editor, and no reason not to run.
    """
    try:
        listed = msgspec.convert(await _get(home, "/global_subgraphs"), dict[str, _Entry])
    except (NoAnswer, msgspec.ValidationError):
        return ()
    turn = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str) -> Subgraph | None:
        async with turn:
            try:
                found = msgspec.convert(await _get(home, f"/global_subgraphs/{quote(name, safe='')}"), _Entry)
            except (NoAnswer, msgspec.ValidationError):
                return None
        if not 0 < len(found.data.encode()) <= _MOST_BYTES_OF_ONE:
            return None
        return Subgraph(node_pack=found.info.node_pack, name=found.name, data=found.data)

    found = await asyncio.gather(*(read(name) for name in sorted(listed)[:_MOST]))
    return _within_bounds({(one.node_pack, one.name): one for one in found if one is not None})


def _within_bounds(found: Mapping[tuple[str, str], Subgraph]) -> tuple[Subgraph, ...]:
    kept: list[Subgraph] = []
    left = _MOST_BYTES
    for _, one in sorted(found.items()):
        left -= len(one.data.encode())
        if left >= 0:
            kept.append(one)
    return tuple(kept)


async def _get(home: Home, path: str) -> object:
    return await ask_json(home.url, path, seconds=_ASK_SECONDS)
