"""What a ComfyUI can tell of one of its model files: what its author wrote into it, and the picture beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import BRIDGE, NoAnswer, ask, ask_json

_ASK_SECONDS = 4.0
_MOST_BYTES = 16 * 1024 * 1024
_MOST_PLACES = 8
"""A model folder is seldom several on disk, and ComfyUI says nothing of how many there are."""


async def read_metadata(home: Home, folder: str, name: str) -> bytes | None:
    """Give the metadata in the header of a safetensors file, as JSON; None where there is none."""
    answer = await _get(home, f"/view_metadata/{quote(folder, safe='')}?filename={quote(name, safe='')}")
    return answer.content if answer is not None else None


async def read_preview(home: Home, folder: str, name: str) -> bytes | None:
    """Give the picture that lies beside a model file, or in it; None where there is none."""
    for place in range(_MOST_PLACES):
        path = f"/experiment/models/preview/{quote(folder, safe='')}/{place}/{quote(name)}"
        try:
            answer = await ask(home.url, path, seconds=_ASK_SECONDS)
        except NoAnswer:
            return None
        if answer.is_success:
            return _bounded(answer)
        if answer.status_code >= 500:
            return None  # there are no more places
    return None


async def find_models(home: Home, names: Sequence[str]) -> Mapping[str, Path] | None:
    """Say where the model files of these names lie, by `folder/name`; None where there is no bridge to ask."""
    if home.bridge_headers is None:
        return None
    if not names:
        return {}
    body = {"names": list(names)}
    try:
        found = await ask_json(
            home.url, f"{BRIDGE}/model_paths", seconds=_ASK_SECONDS, headers=home.bridge_headers, body=body
        )
        return msgspec.convert(found, dict[str, Path], dec_hook=_path)
    except (NoAnswer, msgspec.ValidationError):
        return None


def names_in(fetched: Path | None) -> list[str]:
    """Name the models that were fetched, as graphs name them: below the folder of their kind."""
    links = [] if fetched is None else [path.relative_to(fetched) for path in fetched.rglob("*") if path.is_symlink()]
    return [Path(*link.parts[1:]).as_posix() for link in links]


def _path(kind: type[Any], text: Any) -> Any:
    return kind(text)


async def _get(home: Home, path: str) -> httpx.Response | None:
    try:
        answer = await ask(home.url, path, seconds=_ASK_SECONDS)
    except NoAnswer:
        return None
    return answer if answer.is_success and _bounded(answer) is not None else None


def _bounded(answer: httpx.Response) -> bytes | None:
    return answer.content if len(answer.content) <= _MOST_BYTES else None
