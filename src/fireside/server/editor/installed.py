"""Where the editor's files lie: in a folder that the settings name, else in a Python package that is installed.

Nothing of the package is imported or run: it is a folder of files to us.
"""

import importlib.util
from pathlib import Path

from fireside.config import Config

EDITOR_PACKAGE = "comfyui_frontend_package"


def editor_folder(config: Config) -> Path | None:
    """Find the folder with the editor's `index.html`; None where the editor is not installed."""
    named = Path(config.editor_dir).expanduser() if config.editor_dir else package_folder(EDITOR_PACKAGE, "static")
    return named if named is not None and (named / "index.html").is_file() else None


def package_folder(package: str, folder: str) -> Path | None:
    """Find a folder of a Python package without importing it; None where either is missing."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(place) / folder
        if found.is_dir():
            return found
    return None
