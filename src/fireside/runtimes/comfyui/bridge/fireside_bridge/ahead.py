"""Prompts that are submitted ahead of their turn: read and validated as any other, and held back from the queue.

One of them may follow another: when that has succeeded, it begins at once, without anybody asking. What the former run
has left in the output and temp folders is put aside first, so that the names of its files are free again: to the folder
`left`, beside the output folder, under the prompt's id, with a dot before it until all is moved. The others wait until
they are told to begin.
"""

import contextlib
import functools
import importlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_MOST_HELD = 2
_lock = threading.Lock()
_held: "OrderedDict[str, Callable[[], None]]" = OrderedDict()
_followers: "OrderedDict[str, str]" = OrderedDict()


def install(queue: Any, is_held: Callable[[str], "str | None"]) -> None:
    """Put ourselves before the queue; `is_held` says whom a prompt follows, an empty text for nobody, None: no wait."""
    put_now, done_now = queue.put, queue.task_done

    @functools.wraps(put_now)
    def put(self: Any, item: Any) -> None:
        leader = is_held(item[1])
        if leader is None:
            put_now(self, item)
        else:
            _hold(item[1], leader, functools.partial(put_now, self, item))

    @functools.wraps(done_now)
    def task_done(self: Any, item_id: Any, *args: Any, **kwargs: Any) -> Any:
        item = self.currently_running.get(item_id)
        done = done_now(self, item_id, *args, **kwargs)
        statuses = (*args, *kwargs.values())
        if item is not None and any(getattr(one, "completed", False) is True for one in statuses):
            _go_on(item[1])
        return done

    queue.put, queue.task_done = put, task_done


def begin(prompt_id: str) -> bool:
    """Put a prompt that is held back into the queue; false when it is not there."""
    put = _let_go(prompt_id)
    if put is not None:
        put()
    return put is not None


def drop(prompt_id: str) -> bool:
    """Forget a prompt that is held back; false when it is not there."""
    return _let_go(prompt_id) is not None


def _hold(prompt_id: str, leader: str, put: Callable[[], None]) -> None:
    with _lock:
        _held[prompt_id] = put
        _followers[leader] = prompt_id
        for few in (_held, _followers):
            while len(few) > _MOST_HELD:
                few.popitem(last=False)


def _let_go(prompt_id: str) -> "Callable[[], None] | None":
    with _lock:
        return _held.pop(prompt_id, None)


def _go_on(leader: str) -> None:
    """Let the prompt begin that follows this one, if one is held back for that."""
    with _lock:
        follower = _followers.pop(leader, "")
        put = _held.pop(follower, None)
    if put is None:
        return
    try:
        _put_aside(leader)
    except OSError:
        # It goes on when it is told to.
        with _lock:
            _held[follower] = put
    else:
        put()


def _put_aside(prompt_id: str) -> None:
    """Move what the run has left to a folder of its own; that this is there says that another one begins."""
    folder_paths: Any = importlib.import_module("folder_paths")
    output, temp = Path(folder_paths.get_output_directory()), Path(folder_paths.get_temp_directory())
    left = output.parent / "left"
    moving = left / f".{prompt_id}"
    try:
        # The folders of a run before, emptied: to make new ones takes longer than the moving.
        (left / "spare").rename(moving)
    except OSError:
        (moving / "output").mkdir(parents=True)
        (moving / "temp").mkdir()
    for folder, aside in ((output, moving / "output"), (temp, moving / "temp")):
        for path in _entries(folder, _model_folders()):
            # What cannot be moved only keeps its name from others.
            with contextlib.suppress(OSError):
                target = aside / path.relative_to(folder)
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
    moving.rename(left / prompt_id)


def _entries(folder: Path, kept: "frozenset[str]") -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError):
        for entry in list(os.scandir(folder)):
            if entry.path in kept and entry.is_dir(follow_symlinks=False):
                yield from list(Path(entry.path).iterdir())
            else:
                yield Path(entry.path)


def _model_folders() -> "frozenset[str]":
    """Name the folders in which ComfyUI looks for models: it remembers them, and must not find them gone."""
    folder_paths: Any = importlib.import_module("folder_paths")
    return frozenset(str(path) for paths, *_ in folder_paths.folder_names_and_paths.values() for path in paths)
