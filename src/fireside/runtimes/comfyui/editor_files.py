"""What a ComfyUI's node packs bring along for its editor: translations, and example workflows with their pictures.

All of it is read through ComfyUI's own routes, so it is what its editor would be given. What is odd or too large is
left out: it is a convenience of the editor, and no reason not to run.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import msgspec

from fireside.runtimes.base import TemplateFile
from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import NoAnswer, ask, ask_json

_ASK_SECONDS = 60.0
_MOST = 500
_MOST_BYTES_OF_ONE = 2 * 1024 * 1024
_MOST_BYTES = 16 * 1024 * 1024
_MOST_BYTES_OF_TRANSLATIONS = 4 * 1024 * 1024
_AT_ONCE = 4
_KINDS = (".json", ".jpg")
"""The editor asks for both of every name."""


async def read_translations(home: Home) -> Mapping[str, Any]:
    """Ask for the translations of all node packs, by language."""
    try:
        told = msgspec.convert(await ask_json(home.url, "/i18n", seconds=_ASK_SECONDS), dict[str, dict[str, Any]])
    except (NoAnswer, msgspec.ValidationError):
        return {}
    return told if len(msgspec.json.encode(told)) <= _MOST_BYTES_OF_TRANSLATIONS else {}


async def read_templates(home: Home) -> tuple[TemplateFile, ...]:
    """Ask for all example workflows and their pictures, sorted by node pack and name."""
    try:
        told = await ask_json(home.url, "/workflow_templates", seconds=_ASK_SECONDS)
        listed = msgspec.convert(told, dict[str, list[str]])
    except (NoAnswer, msgspec.ValidationError):
        return ()
    names = sorted({(pack, name) for pack, of in listed.items() for name in of if _is_plain(pack) and _is_plain(name)})
    turn = asyncio.Semaphore(_AT_ONCE)

    async def read(pack: str, file: str) -> TemplateFile | None:
        path = f"/api/workflow_templates/{quote(pack, safe='')}/{quote(file, safe='')}"
        async with turn:
            try:
                answer = await ask(home.url, path, seconds=_ASK_SECONDS)
            except NoAnswer:
                return None
        if not answer.is_success or not 0 < len(answer.content) <= _MOST_BYTES_OF_ONE:
            return None
        return TemplateFile(node_pack=pack, file=file, content=answer.content)

    wanted = [(pack, name + kind) for pack, name in names[:_MOST] for kind in _KINDS]
    found = await asyncio.gather(*(read(pack, file) for pack, file in wanted))
    return _within_bounds([one for one in found if one is not None])


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and PurePosixPath(name).name == name and "\\" not in name


def _within_bounds(found: Sequence[TemplateFile]) -> tuple[TemplateFile, ...]:
    kept: list[TemplateFile] = []
    left = _MOST_BYTES
    for one in found:
        left -= len(one.content)
        if left >= 0:
            kept.append(one)
    return tuple(sorted(kept, key=lambda one: (one.node_pack, one.file)))
