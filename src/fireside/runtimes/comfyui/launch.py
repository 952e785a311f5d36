"""How a ComfyUI is started from its folder: which Python, which arguments, which environment. It starts nothing.

Nothing here writes into the user's ComfyUI: files, users' settings, the database and the front page lie in a folder
of the worker's own, so that several processes share one ComfyUI.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.home import Folders

FETCHED_MODELS = "FIRESIDE_FETCHED_MODELS"
BRIDGE_TOKEN = "FIRESIDE_BRIDGE_TOKEN"  # noqa: S105 - a variable's name
CPU = "cpu"
_BRIDGE = Path(__file__).parent / "bridge"
_BRIDGE_PACK = "fireside_bridge"
_FRONT_PAGE = "<!doctype html><title>ComfyUI</title><p>This ComfyUI belongs to a Fireside worker and has no pages.\n"
_WITHOUT_CUSTOM_NODES = "--disable-all-custom-nodes"
_CHOSEN_CUSTOM_NODES = "--whitelist-custom-nodes"
_OUR_OPTIONS = (
    *("--listen", "--port", "--tls-keyfile", "--tls-certfile", "--auto-launch", "--windows-standalone-build"),
    *("--input-directory", "--output-directory", "--temp-directory", "--user-directory", "--database-url"),
    *("--extra-model-paths-config", "--preview-method", "--front-end-root", "--front-end-version", "--cuda-device"),
    "--quick-test-for-ci",
)
# Our own settings, and what the stores and the database are opened with. Node packs are strangers' code.
_OUR_VARIABLES = re.compile(r"(FIRESIDE|AWS|AZURE|NATS)_.*|PG[A-Z]+|GOOGLE_(APPLICATION_CREDENTIALS|SERVICE_ACCOUNT.*)")
# They describe our Python, which is not ComfyUI's.
_PYTHON_VARIABLES = re.compile(r"PYTHON.*|VIRTUAL_ENV.*|COVERAGE_.*|PYTEST_.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A ComfyUI that can be started.

    `comfyui_dir` holds `main.py`, or a folder `ComfyUI` that does. `python` is by default that of the folder's own
    virtual environment, else the current one. `device` is `cpu`, the number of a GPU or its `GPU-…` id, or None for
    ComfyUI's choice. `extra_model_paths` are files beside the folder's own `extra_model_paths.yaml`. `arguments` are
    further ones for `main.py`. `environment` is added to ours, from which our secrets were taken.
    """

    comfyui_dir: Path
    python: Path | None = None
    device: str | None = None
    extra_model_paths: tuple[Path, ...] = ()
    preview_method: str = "auto"
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def check(self) -> None:
        """Raise `RuntimeStartError` for what can be known to be wrong before anything is started."""
        for argument in self.arguments:
            name = argument.partition("=")[0]
            # argparse takes any beginning of an option for the option.
            meant = [option for option in _OUR_OPTIONS if len(name) > 2 and option.startswith(name)]
            if meant:
                raise RuntimeStartError(f"{argument} cannot be given to ComfyUI: Fireside sets {meant[0]} itself.")
        for path in self.extra_model_paths:
            if not path.is_file():
                raise RuntimeStartError(f"There is no file {path} with extra model paths.")
        find_python(find_comfyui(self.comfyui_dir), self.python)


def find_comfyui(folder: Path) -> Path:
    """Find the folder that holds `main.py`; raise `RuntimeStartError` when it is no ComfyUI."""
    for candidate in (folder.absolute(), folder.absolute() / "ComfyUI"):
        if (candidate / "main.py").is_file() and (candidate / "comfy" / "cli_args.py").is_file():
            return candidate
    raise RuntimeStartError(f"{folder} is no ComfyUI: give the folder that holds its main.py.")


def find_python(comfyui_dir: Path, given: Path | None) -> Path:
    """Find the Python to run it with; a link stays a link, as that is how a virtual environment is recognized."""
    if given is not None:
        if not given.is_file() or not os.access(given, os.X_OK):
            raise RuntimeStartError(f"{given} is no Python that can be run.")
        return given.absolute()
    for folder in (comfyui_dir, comfyui_dir.parent):
        for name in ("venv", ".venv"):
            python = folder / name / "bin" / "python"
            if python.is_file():
                return python
    return Path(sys.executable)


def folders_in(folder: Path) -> Folders:
    """Say where the files of a ComfyUI lie that works in this folder."""
    return Folders(input=folder / "input", output=folder / "output", temp=folder / "temp", left=folder / "left")


def prepare_folder(folder: Path) -> None:
    """Make what a start needs; what is there stays."""
    folders = folders_in(folder)
    for made in (folders.input, folders.output, folder / "user", folder / "front"):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "front" / "index.html").write_text(_FRONT_PAGE, "utf-8")
    # A JSON string is a YAML string.
    paths = json.dumps(str(_BRIDGE), ensure_ascii=False)
    (folder / "bridge_paths.yaml").write_text(f"fireside:\n  custom_nodes: {paths}\n", "utf-8")


def command(launch: Launch, folder: Path, port: int) -> list[str]:
    """Give the command line of a ComfyUI that listens on that port and works in that folder."""
    comfyui_dir = find_comfyui(launch.comfyui_dir)
    known = (comfyui_dir / "comfy" / "cli_args.py").read_text("utf-8", "replace")
    folders = folders_in(folder)
    # ComfyUI makes a folder `temp` below the one it is given, and removes it at each start.
    options: dict[str, tuple[str, ...]] = {
        "--listen": ("127.0.0.1",),
        "--port": (str(port),),
        "--input-directory": (str(folders.input),),
        "--output-directory": (str(folders.output),),
        "--temp-directory": (str(folders.temp.parent),),
        "--user-directory": (str(folder / "user"),),
        "--database-url": (f"sqlite:///{folder / 'user' / 'comfyui.db'}",),
        "--front-end-root": (str(folder / "front"),),
        "--extra-model-paths-config": (str(folder / "bridge_paths.yaml"), *map(str, launch.extra_model_paths)),
        "--preview-method": (launch.preview_method,),
        "--disable-auto-launch": (),
        "--dont-print-server": (),
        # Newer ones keep a catalog of all files; ours is the server's.
        "--disable-assets": (),
        **_device_options(launch.device),
    }
    words = [word for name, values in options.items() if f'"{name}"' in known for word in (name, *values)]
    return [
        str(find_python(comfyui_dir, launch.python)),
        str(comfyui_dir / "main.py"),
        *words,
        *_with_bridge(launch.arguments, known),
    ]


def environment(launch: Launch, token: str, fetched_models: Path | None = None) -> dict[str, str]:
    """Give the environment of a ComfyUI: ours without what is ours alone, and what its bridge has to know."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _OUR_VARIABLES.fullmatch(name) and not _PYTHON_VARIABLES.fullmatch(name)
    }
    return {
        # Threads that wait for work sleep, rather than take the cores from whoever has some; ours among them.
        "OMP_WAIT_POLICY": "PASSIVE",
        **kept,
        "PYTHONUNBUFFERED": "1",
        # Nodes that list a set would describe themselves anew at each start.
        "PYTHONHASHSEED": "0",
        # GPUs have the numbers that the drivers' tools show.
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        **_device_variables(launch.device),
        **launch.environment,
        BRIDGE_TOKEN: token,
        **({FETCHED_MODELS: str(fetched_models)} if fetched_models is not None else {}),
    }


def _device_options(device: str | None) -> dict[str, tuple[str, ...]]:
    if device == CPU:
        return {"--cpu": ()}
    return {"--cuda-device": (device,)} if device is not None and device.isdigit() else {}


def _device_variables(device: str | None) -> dict[str, str]:
    if device is None or device == CPU:
        return {}
    return {"CUDA_VISIBLE_DEVICES": device, "HIP_VISIBLE_DEVICES": device}


def _with_bridge(arguments: tuple[str, ...], known: str) -> list[str]:
    """Let the bridge in where the operator keeps node packs out."""
    words = list(arguments)
    if _WITHOUT_CUSTOM_NODES in words and f'"{_CHOSEN_CUSTOM_NODES}"' in known:
        if _CHOSEN_CUSTOM_NODES not in words:
            words.append(_CHOSEN_CUSTOM_NODES)
        words.insert(words.index(_CHOSEN_CUSTOM_NODES) + 1, _BRIDGE_PACK)
    return words
