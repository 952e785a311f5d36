"""Lets code that we call see other folders and files than what is there; nobody else notices.

What is said holds for the present context only: one request's task, or one thread of ours.
"""

import contextlib
import contextvars
import functools
import importlib
import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

_present: contextvars.ContextVar[frozenset[str]] = contextvars.ContextVar("present", default=frozenset())
_input: contextvars.ContextVar[str | None] = contextvars.ContextVar("input", default=None)
_models: contextvars.ContextVar[str] = contextvars.ContextVar("models", default="")
_OWN, _PROBED = "own", "probed"
_PROBE = re.compile(r"fireside_probe\.(.+)\.safetensors")
# Not folders of models.
_OTHERS = {"custom_nodes", "configs"}
# Where files lie that the worker has fetched, a folder for each kind; empty: it fetches none.
FETCHED = os.environ.pop("FIRESIDE_FETCHED_MODELS", "")


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
    listed = folder_paths.get_filename_list

    @functools.wraps(listed)
    def get_filename_list(folder_name: str, *args: Any, **kwargs: Any) -> Any:
        names, seen = listed(folder_name, *args, **kwargs), _models.get()
        if not seen:
            return names
        fetched = _fetched_names(folder_name)
        own = [name for name in names if name not in fetched]
        return [*own, f"fireside_probe.{folder_name}.safetensors"] if seen == _PROBED else own

    folder_paths.get_filename_list = get_filename_list


def add_fetched_folders() -> None:
    """Have ComfyUI look for models in the folders of what is fetched, too; after all others."""
    if not FETCHED:
        return
    folder_paths: Any = importlib.import_module("folder_paths")
    for folder in set(folder_paths.folder_names_and_paths) - _OTHERS:
        # Node packs keep odd things there.
        with contextlib.suppress(AttributeError, TypeError, ValueError):
            folder_paths.add_model_folder_path(folder, str(Path(FETCHED) / folder))


@contextlib.contextmanager
def own_models() -> Generator[None]:
    """Let lists of models have none that was fetched: what a worker is does not depend on them."""
    token = _models.set(_OWN)
    try:
        yield
    finally:
        _models.reset(token)


@contextlib.contextmanager
def probed_models() -> Generator[None]:
    """Let lists of models have an entry that says which folder they are of; `probed_folder` reads it."""
    token = _models.set(_PROBED)
    try:
        yield
    finally:
        _models.reset(token)


def probed_folder(choices: Any) -> "str | None":
    """Say which folder of models these choices are from, None for others."""
    for choice in choices:
        found = _PROBE.fullmatch(choice) if isinstance(choice, str) else None
        if found is not None:
            return found[1]
    return None


def _fetched_names(folder_name: str) -> "set[str]":
    """Name the files of a folder that are there only because they were fetched."""
    if not FETCHED:
        return set()
    folder_paths: Any = importlib.import_module("folder_paths")
    map_legacy = getattr(folder_paths, "map_legacy", str)
    place = Path(FETCHED) / map_legacy(folder_name)
    names = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_symlink()}
    return {name for name in names if _is_in(place, folder_paths.get_full_path(folder_name, name))}


def _is_in(place: Path, path: Any) -> bool:
    return path is None or place in Path(path).parents


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
