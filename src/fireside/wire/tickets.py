"""What a worker is given to begin with: how to reach its server, which runtime it runs, and within which limits.

Handed over in a file that only its user can read; nothing else tells a worker anything before it has joined.
"""

from typing import Literal

import msgspec


class BuiltinSpec(msgspec.Struct, frozen=True, kw_only=True, tag="builtin"):
    """The runtime that comes with Fireside."""


class ComfyFolderSpec(msgspec.Struct, frozen=True, kw_only=True, tag="comfyui"):
    """A ComfyUI that the worker starts from a folder and keeps running, with an interpreter of its own.

    `python` empty: that of a virtual environment beside it. `gpu` is the one device it may see, by number or UUID;
    empty: whichever it finds. `cpu` keeps it off all of them. `arguments` are added to its command line, `model_paths`
    are files in the form of `extra_model_paths.yaml`.
    """

    directory: str
    python: str
    gpu: str = ""
    cpu: bool = False
    arguments: tuple[str, ...] = ()
    model_paths: tuple[str, ...] = ()
    preview_method: str = "auto"
    start_seconds: float = 180.0


class ComfyUrlSpec(msgspec.Struct, frozen=True, kw_only=True, tag="attached"):
    """A ComfyUI that somebody else runs, at this address."""

    url: str
    start_seconds: float = 180.0


RuntimeSpec = BuiltinSpec | ComfyFolderSpec | ComfyUrlSpec


class WorkerTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to reach its server and to do its work.

    `scratch` is emptied at each start, `home` stays: the runtime's own folder. `stage_cache` is where inputs are kept
    by hash, which workers of one machine share, and `stage_cache_bytes` its bound; `model_cache` and
    `model_cache_bytes` are the same for models that are fetched. `interrupt_seconds` is how long a
    run that is told to stop may take before its runtime is ended. `log_format` and `log_level` are the settings.
    """

    worker_id: str
    server_url: str
    token: str
    bus_url: str
    bus_jwt: str
    bus_seed: str
    bus_ca: str = ""
    bus_certificate: str = ""
    bus_key: str = ""
    scratch: str
    home: str
    stage_cache: str
    stage_cache_bytes: int
    model_cache: str
    model_cache_bytes: int
    runtime: RuntimeSpec = BuiltinSpec()
    labels: dict[str, str] = {}
    interrupt_seconds: float = 10.0
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
