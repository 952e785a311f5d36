"""What a ComfyUI can tell of one of its model files: what its author wrote into it, and the picture beside it."""

from urllib.parse import quote

import httpx

from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import NoAnswer, ask

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


async def _get(home: Home, path: str) -> httpx.Response | None:
    try:
        answer = await ask(home.url, path, seconds=_ASK_SECONDS)
    except NoAnswer:
        return None
    return answer if answer.is_success and _bounded(answer) is not None else None


def _bounded(answer: httpx.Response) -> bytes | None:
    return answer.content if len(answer.content) <= _MOST_BYTES else None
