"""Keeps the results of runs apart, and tells whether the thread that runs them is there.

ComfyUI remembers a node's result by its class and inputs. That is too little where files are concerned: two users'
inputs may have one name, and a node that shows a file would show one that is gone, with the workflow of whoever ran
it before inside. So whoever submits a prompt may say with it what else tells results apart, and nothing of that
is seen by nodes or written into pictures.
"""

import functools
import gc
import importlib
import inspect
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, cast

from . import ahead  # noqa: TID252 - ComfyUI loads us by path, under a name of its own

_KEY = "fireside_salts"
_REMEMBERED_PROMPTS = 64
_EXECUTOR = "prompt_worker"

_salts: "OrderedDict[str, Mapping[str, Any]]" = OrderedDict()
_was_seen = False
_is_loaded = False


def install(server: Any) -> None:
    """Listen to what is submitted, and put ourselves before the question whether a node has changed."""
    execution = importlib.import_module("execution")
    server.add_on_prompt_handler(_take_salts)
    ahead.install(execution.PromptQueue, _leader_of)
    cache: Any = getattr(execution, "IsChangedCache", None)
    if cache is None:
        return
    original = cache.get

    @functools.wraps(original)
    def get(self: Any, node_id: str) -> Any:
        return _salted(self, node_id, original(self, node_id))

    @functools.wraps(original)
    async def get_soon(self: Any, node_id: str) -> Any:
        return _salted(self, node_id, await original(self, node_id))

    # A coroutine since ComfyUI 0.3.45.
    cache.get = get_soon if inspect.iscoroutinefunction(original) else get


def leave_alone_what_is_loaded() -> None:
    """Have what has been loaded by now, once, left out of searches for garbage: it stays.

    ComfyUI searches after a run, for 0.2 s among all that PyTorch and the nodes have brought, and answers nothing
    meanwhile: whoever asks for the same again waits for that.
    """
    global _is_loaded
    if not _is_loaded:
        _is_loaded = True
        gc.collect()
        gc.freeze()


def executor_is_alive() -> bool | None:
    """Whether the thread that runs prompts is there; None when we do not know what it is called."""
    global _was_seen
    is_there = any(_EXECUTOR in thread.name for thread in threading.enumerate())
    _was_seen = _was_seen or is_there
    return is_there if _was_seen else None


def _take_salts(submitted: dict[str, Any]) -> dict[str, Any]:
    """Take out what is for us; `{nodes: {node_id: text}, classes: [name], run: text}` and maybe `after: text`."""
    extra_data = submitted.get("extra_data")
    if isinstance(extra_data, dict) and _KEY in extra_data:
        _salts[str(submitted.get("prompt_id"))] = cast("dict[str, Any]", extra_data).pop(_KEY)
        while len(_salts) > _REMEMBERED_PROMPTS:
            _salts.popitem(last=False)
    return submitted


def _leader_of(prompt_id: str) -> "str | None":
    return _salts.get(prompt_id, {}).get("after")


def _salted(cache: Any, node_id: str, is_changed: Any) -> Any:
    salts = _salts.get(getattr(cache, "prompt_id", ""))
    if salts is None:
        return is_changed
    node = cache.dynprompt.get_node(node_id)
    own = salts["nodes"].get(node_id)
    run = salts["run"] if node["class_type"] in salts["classes"] else None
    return is_changed if own is None and run is None else [is_changed, own, run]
