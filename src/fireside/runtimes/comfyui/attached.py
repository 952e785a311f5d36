"""A ComfyUI that somebody else runs, on this machine or another one, reached by its URL and nothing else."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx

from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.home import Folders, HomeLost
from fireside.runtimes.comfyui.http import NoAnswer, ask_json

_ANSWER_SECONDS = 60.0
_ASK_SECONDS = 10.0
_POLL_SECONDS = 0.5


class AttachedHome:
    """Where a ComfyUI of somebody else lives; `answer_seconds` is how long `start` waits for its first answer."""

    def __init__(self, url: str, *, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._answer_seconds = answer_seconds

    @property
    def url(self) -> str:
        """Give its address; it never changes."""
        return self._url

    @property
    def folders(self) -> Folders | None:
        """Give None: files go and come over HTTP, wherever it is."""
        return None

    @property
    def bridge_headers(self) -> Mapping[str, str] | None:
        """Give None: it has no node pack of ours."""
        return None

    @property
    def fetched_models(self) -> Path | None:
        """Give nothing: where its models lie is its owner's business."""
        return None

    @property
    def is_alive(self) -> bool:
        """Say yes: its process is not ours to see."""
        return True

    async def start(self) -> None:
        """Return when it answers as a ComfyUI does; raise `RuntimeStartError` when it does not in time."""
        reason = "it takes too long"
        try:
            async with asyncio.timeout(self._answer_seconds):
                while (reason := await self._what_is_wrong()) is not None:  # noqa: ASYNC110 - it is elsewhere
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise RuntimeStartError(
                f"No ComfyUI answers at {shown(self._url)} ({reason}): start one there, or give another URL."
            ) from None

    async def restart(self, reason: str) -> None:
        """Raise `HomeLost`: it is not ours to start again."""
        raise HomeLost(
            f"The ComfyUI at {shown(self._url)} is in trouble ({reason}) and is not Fireside's to start again: "
            "restart it there."
        )

    async def died(self) -> None:
        """Wait forever."""
        await asyncio.Event().wait()

    def log_tail(self, lines: int = 40) -> str:  # noqa: ARG002 - the seam's shape
        """Give nothing: its log is elsewhere."""
        return ""

    async def stop(self) -> None:
        """Leave it alone."""

    async def _what_is_wrong(self) -> str | None:
        try:
            stats = await ask_json(self._url, "/system_stats", seconds=_ASK_SECONDS)
        except NoAnswer as error:
            return str(error)
        return None if isinstance(stats, dict) and "system" in stats else "what answers there is something else"


def shown(url: str) -> str:
    """Give a URL for people to read: without the password it may hold."""
    return str(httpx.URL(url).copy_with(username=None, password=None))
