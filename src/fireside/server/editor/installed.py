"""Where the editor's files lie: in a folder that the settings name, else in a Python package that is installed.

Nothing of the package is imported or run: it is a folder of files to us.
"""

import importlib.util
from pathlib import Path

from fireside.config import Config

EDITOR_PACKAGE = "comfyui_frontend_package"

_TEMPLATES = "comfyui_workflow_templates"
_TEMPLATE_PACKAGES = (
    "json",
    *(f"media_{part}" for part in ("api", "image", "video", "other", "assets_01", "assets_02")),
)
_HELP_PACKAGE = "comfyui_embedded_docs"


def editor_folder(config: Config) -> Path | None:
    """Find the folder with the editor's `index.html`; None where the editor is not installed."""
    named = Path(config.editor_dir).expanduser() if config.editor_dir else package_folder(EDITOR_PACKAGE, "static")
    return named if named is not None and (named / "index.html").is_file() else None


def template_folders(config: Config) -> list[Path]:
    """Find the folders of example workflows and their pictures; each package is worth having without the others."""
    named = [Path(folder).expanduser() for folder in config.editor_templates]
    installed = (package_folder(f"{_TEMPLATES}_{part}", "templates") for part in _TEMPLATE_PACKAGES)
    return named + [folder for folder in installed if folder is not None]


def help_folder() -> Path | None:
    """Find the folder of texts that explain nodes."""
    return package_folder(_HELP_PACKAGE, "docs")


def package_folder(package: str, folder: str) -> Path | None:
    """Find a folder of a Python package without importing it; None where either is missing."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        found = Path(place) / folder
        if found.is_dir():
            return found
    return None
