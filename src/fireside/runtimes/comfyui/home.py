"""Where one ComfyUI lives: the seam between its process and the run of a task in it.

`SupervisedHome` starts a ComfyUI from a folder and watches it; `AttachedHome` is one that somebody else runs. The
run of a task sees only this: an address, folders when they are on this disk, and whether the process is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The file folders of one ComfyUI, on this disk and private to it."""

    input: Path
    output: Path
    temp: Path
    left: Path
    """Where our node pack puts aside what a run has left when another one begins, a folder for each prompt."""


class Home(Protocol):
    """One ComfyUI and its life; `start` comes first, `stop` ends everything it started."""

    @property
    def url(self) -> str:
        """Give its address without a slash at the end; it changes when the process is started again."""
        ...

    @property
    def folders(self) -> Folders | None:
        """Give its folders; None when it is attached: files go by `/upload/image` and come by `/view`."""
        ...

    @property
    def bridge_headers(self) -> Mapping[str, str] | None:
        """Give what a request to `/fireside/…` must carry, anew at each start; None without our node pack."""
        ...

    @property
    def fetched_models(self) -> Path | None:
        """Give the folder where it finds model files that are fetched for it, a folder for each kind; None: nowhere."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether its process runs; an attached one is taken to."""
        ...

    async def start(self) -> None:
        """Return when it answers; raise `RuntimeStartError` with the log's tail when it does not.

        A process that dies by itself is started again by itself, so to wait for the next one is to call this: it
        joins a start under way, and returns at once when there is nothing to do. Only the first one empties the
        folders.
        """
        ...

    async def restart(self, reason: str) -> None:
        """Kill it, whatever it does, and start it again, after a pause when that happens often.

        Callers at the same time share one restart. Raises `RuntimeStartError` as `start`, and `HomeLost` when attached.
        """
        ...

    async def died(self) -> None:
        """Return when the present process is gone, at once when it is already; never when attached."""
        ...

    def log_tail(self, lines: int = 40) -> str:
        """Give the last lines of its log, empty when attached."""
        ...

    async def stop(self) -> None:
        """End it and everything it started; idempotent. An attached one is left alone."""
        ...


class HomeLost(Exception):
    """A ComfyUI that is not ours to start again does not answer; the message names it and what to do."""
