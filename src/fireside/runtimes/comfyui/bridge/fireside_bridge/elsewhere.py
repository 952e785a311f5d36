"""Lets code that we call see other folders and files than what is there; nobody else notices.

What is said holds for the present context only: one request's task, or one thread of ours.
"""

import contextlib
import contextvars
import functools
import importlib
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

_present: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("present", default=frozenset())
_input: contextvars.ContextVar[str | None] = contextvars.ContextVar("input", default=None)


def install() -> None:
    """Put ourselves before the questions that nodes ask about their folders."""
    folder_paths: Any = importlib.import_module("folder_paths")
    exists, input_directory = folder_paths.exists_annotated_filepath, folder_paths.get_input_directory

    @functools.wraps(exists)
    def exists_annotated_filepath(name: Any, *args: Any, **kwargs: Any) -> Any:
        return name in _present.get() or exists(name, *args, **kwargs)

    @functools.wraps(input_directory)
    def get_input_directory() -> Any:
        return _input.get() or input_directory()

    folder_paths.exists_annotated_filepath = exists_annotated_filepath
    folder_paths.get_input_directory = get_input_directory


@contextlib.contextmanager
def files_exist(names: frozenset[str]) -> Generator[None]:
    """Let these files of the input folder exist."""
    token = _present.set(names)
    try:
        yield
    finally:
        _present.reset(token)


@contextlib.contextmanager
def empty_input_folder() -> Generator[None]:
    """Let the input folder be a new and empty one, as nodes make folders in it when they are asked what they are.

    One at a time: its name is always the same, since nodes show it. It does not lie in ComfyUI's temp folder but beside
    it, because that is emptied after each run.
    """
    folder = Path(importlib.import_module("folder_paths").get_temp_directory()).parent / "fireside_no_input"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    token = _input.set(str(folder))
    try:
        yield
    finally:
        _input.reset(token)
        shutil.rmtree(folder, ignore_errors=True)
