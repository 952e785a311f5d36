"""What this ComfyUI has: model files, node packs, Python packages."""

import hashlib
import importlib
import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import commits, elsewhere  # noqa: TID252 - ComfyUI loads us by path, under a name of its own

_MOST_MODELS = 100_000
_MOST_PACKAGES = 2_000
_MOST_PACKS = 2_000
_LONGEST = 200
_OWN = Path(__file__).resolve().parent
# Node packs are listed in the same place, but are no models.
_NO_MODELS = {"custom_nodes"}
_VERSION = re.compile(r"""^version\s*=\s*["']([^"']+)["']""", re.MULTILINE)


def models() -> dict[str, dict[str, int]]:
    """Give the files of every model folder with their sizes, as ComfyUI names them."""
    folder_paths = importlib.import_module("folder_paths")
    made_here = Path(folder_paths.get_output_directory())
    found: dict[str, dict[str, int]] = {}
    left = _MOST_MODELS
    for folder in sorted(set(folder_paths.folder_names_and_paths) - _NO_MODELS):
        files: dict[str, int] = {}
        with elsewhere.own_models():
            names = folder_paths.get_filename_list(folder)[:left]
        for name in names:
            path = folder_paths.get_full_path(folder, name)
            # What a job has just saved is that job's, not a model of this machine.
            if path is None or made_here not in Path(path).parents:
                files[name.replace(os.sep, "/")] = _size(path)
        left -= len(files)
        found[folder] = files
    return found


def model_paths(names: list[str]) -> dict[str, str]:
    """Say which files nodes read for these names, in whatever model folder there is one."""
    folder_paths = importlib.import_module("folder_paths")
    found: dict[str, str] = {}
    for folder in sorted(set(folder_paths.folder_names_and_paths) - _NO_MODELS):
        for name in names:
            path = folder_paths.get_full_path(folder, name)
            if path is not None:
                found[f"{folder}/{name}"] = str(path)
    return found


def model_inputs() -> dict[str, dict[str, str]]:
    """Say which inputs of nodes list a folder of models, and which; nothing where none are fetched."""
    found: dict[str, dict[str, str]] = {}
    if not elsewhere.FETCHED:
        return found
    classes: dict[str, Any] = importlib.import_module("nodes").NODE_CLASS_MAPPINGS
    with elsewhere.probed_models():
        for name, node in list(classes.items()):
            inputs = _folders_of(node)
            if inputs:
                found[name] = inputs
    return found


def _folders_of(node: Any) -> dict[str, str]:
    try:
        groups = node.INPUT_TYPES()
        declared = [(name, spec) for group in ("required", "optional") for name, spec in groups.get(group, {}).items()]
    except Exception:  # noqa: BLE001 - strangers' code; what it breaks with is told where definitions are
        return {}
    folders = {name: _folder_of(spec) for name, spec in declared}
    return {name: folder for name, folder in folders.items() if folder is not None}


def _folder_of(spec: Any) -> "str | None":
    """Look at `(choices, …)` and `("COMBO", {"options": choices})`."""
    try:
        kind: Any = spec[0]
        choices: Any = spec[1].get("options") if isinstance(kind, str) else kind
        return elsewhere.probed_folder(choices) if isinstance(choices, (list, tuple)) else None
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def snapshot() -> dict[str, Any]:
    """Say what runs: ComfyUI with its commit, node packs with theirs, Python and its packages."""
    folder = Path(importlib.import_module("execution").__file__ or "").resolve().parent
    version = str(getattr(importlib.import_module("comfyui_version"), "__version__", ""))
    return {
        "comfyui": _known({"version": version, **commits.describe(folder)}),
        "custom_nodes": [_pack(path) for path in sorted(_packs(), key=lambda path: path.name)][:_MOST_PACKS],
        "python": platform.python_version(),
        "packages": _packages(),
    }


def _size(path: Any) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - None, a dangling link, raises TypeError like any other oddity
    except (OSError, TypeError):
        return 0


def _packs() -> Iterator[Path]:
    """List the node packs as ComfyUI looks for them."""
    for folder in importlib.import_module("folder_paths").get_folder_paths("custom_nodes"):
        if not Path(folder).is_dir():
            continue
        for path in Path(folder).iterdir():
            is_pack = path.suffix == ".py" if path.is_file() else (path / "__init__.py").is_file()
            if is_pack and not path.name.endswith(".disabled") and path.resolve() != _OWN:
                yield path


def _pack(path: Path) -> dict[str, Any]:
    loaded = {str(Path(folder).resolve()) for folder in importlib.import_module("nodes").LOADED_MODULE_DIRS.values()}
    if path.is_file():
        return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    about = {"name": path.name, "version": _version_of(path), **commits.describe(path)}
    return _known({**about, "failed": str(path.resolve()) not in loaded})


def _version_of(pack: Path) -> str:
    """Read the version from `pyproject.toml`; a full parser came to Python only with 3.11."""
    try:
        match = _VERSION.search((pack / "pyproject.toml").read_text("utf-8", "replace"))
    except OSError:
        return ""
    return match[1][:_LONGEST] if match else ""


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = str(distribution.metadata["Name"] or "").lower()
        # The first one of a name is the one that is imported.
        if name and len(found) < _MOST_PACKAGES:
            found.setdefault(name[:_LONGEST], str(distribution.version)[:_LONGEST])
    return dict(sorted(found.items()))


def _known(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if value}
