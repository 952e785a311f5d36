"""Which workers this machine gets: the settings made concrete, and everything that is wrong with them, told together.

Nothing is started here. A ComfyUI folder is looked at, an address is asked once, so that a slip of the hand is told at
the terminal where it was made and not in the log of a worker.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from fireside.config import Config, ConfigError
from fireside.domain.ids import WorkerId
from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.attached import AttachedHome
from fireside.runtimes.comfyui.launch import Launch
from fireside.wire.tickets import BuiltinSpec, ComfyFolderSpec, ComfyUrlSpec, RuntimeSpec

CPU, ANY_GPU = "cpu", "any"
_GPU = re.compile(r"\d{1,3}|(GPU|MIG)-[0-9A-Za-z/-]+")
_LABEL = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9._/-]{0,62})=(?P<value>[A-Za-z0-9._:/ +-]{0,128})")
_ANSWER_SECONDS = 10.0
# NVIDIA's, AMD's, and that of Windows' subsystem; other systems have their own ways, and there ComfyUI decides.
_GPU_DEVICES = ("nvidia[0-9]*", "kfd", "dxg")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWorker:
    """A worker to be started."""

    id: WorkerId
    runtime: RuntimeSpec = field(default_factory=BuiltinSpec)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


async def plan_workers(config: Config) -> list[PlannedWorker]:
    """Say which workers the settings ask for; raises `ConfigError` with everything that keeps them from starting."""
    labels, problems = _labels(config.label)
    problems += [*_problems_of_gpus(config), *await _problems_of_homes(config)]
    if problems:
        raise ConfigError("\n".join(problems))
    return [
        PlannedWorker(id=WorkerId(f"local-{number}"), runtime=runtime, labels=labels)
        for number, runtime in enumerate(_runtimes(config), 1)
    ]


def _runtimes(config: Config) -> Iterator[RuntimeSpec]:
    if config.workers == 0:
        return
    if not config.comfyui_dir and not config.comfyui_url:
        yield from (BuiltinSpec() for _ in range(config.workers))
    for directory in config.comfyui_dir:
        for gpu in config.gpus or (_found_device(),):
            yield from (_folder_spec(config, directory, gpu) for _ in range(config.workers))
    # One for each: two would only wait for each other.
    yield from (ComfyUrlSpec(url=url, start_seconds=config.start_seconds) for url in config.comfyui_url)


def _folder_spec(config: Config, directory: str, gpu: str) -> ComfyFolderSpec:
    return ComfyFolderSpec(
        directory=str(Path(directory).absolute()),
        python=str(Path(config.comfyui_python).absolute()) if config.comfyui_python else "",
        gpu="" if gpu in (CPU, ANY_GPU) else gpu,
        cpu=gpu == CPU,
        arguments=tuple(shlex.split(config.comfyui_arguments)),
        model_paths=tuple(str(Path(path).absolute()) for path in config.comfyui_model_paths),
        preview_method=config.comfyui_preview_method,
        start_seconds=config.start_seconds,
    )


def _found_device(devices: Path = Path("/dev")) -> str:
    """Choose for an owner who has not: Linux shows whether there is a GPU at all."""
    if not Path("/proc").is_dir():
        return ANY_GPU
    return ANY_GPU if any(next(devices.glob(pattern), None) for pattern in _GPU_DEVICES) else CPU


def _labels(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    labels: dict[str, str] = {}
    problems: list[str] = []
    for text in given:
        found = _LABEL.fullmatch(text)
        if found is None:
            problems.append(f"label: {text!r} is not key=value; a key has letters, digits and . _ / -")
        elif labels.setdefault(found["key"], found["value"]) != found["value"]:
            problems.append(f"label: {found['key']} has two values, {labels[found['key']]!r} and {found['value']!r}")
    return labels, problems


def _problems_of_gpus(config: Config) -> Iterator[str]:
    if config.gpus and not config.comfyui_dir:
        yield "gpus: there is no comfyui_dir whose workers could use them"
    if len(config.gpus) > 1 and {CPU, ANY_GPU} & set(config.gpus):
        yield f"gpus: {CPU!r} and {ANY_GPU!r} stand alone"
    for gpu in config.gpus:
        if gpu not in (CPU, ANY_GPU) and not _GPU.fullmatch(gpu):
            yield f"gpus: {gpu!r} is neither the number of a GPU nor its UUID"
    if len(set(config.gpus)) < len(config.gpus):
        yield "gpus: one is named twice; `workers` says how many workers each gets"


async def _problems_of_homes(config: Config) -> list[str]:
    try:
        arguments = tuple(shlex.split(config.comfyui_arguments))
    except ValueError as error:
        return [f"comfyui_arguments: {error}"]
    problems: list[str] = []
    for directory in dict.fromkeys(config.comfyui_dir):
        launch = Launch(
            comfyui_dir=Path(directory),
            python=Path(config.comfyui_python) if config.comfyui_python else None,
            extra_model_paths=tuple(map(Path, config.comfyui_model_paths)),
            arguments=arguments,
        )
        try:
            launch.check()
        except RuntimeStartError as error:
            problems.append(f"comfyui_dir: {error}")
    if len(set(config.comfyui_url)) < len(config.comfyui_url):
        problems.append("comfyui_url: one is named twice; a ComfyUI runs one job at a time")
    found = await asyncio.gather(*(_problem_of_url(url) for url in dict.fromkeys(config.comfyui_url)))
    return [*dict.fromkeys(problems), *(problem for problem in found if problem)]


async def _problem_of_url(text: str) -> str | None:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        return f"comfyui_url: {text!r} is no URL: {error}"
    if url.scheme not in ("http", "https") or not url.host:
        return f"comfyui_url: {text!r} is no URL of a ComfyUI; it looks like http://127.0.0.1:8188"
    try:
        await AttachedHome(text, answer_seconds=_ANSWER_SECONDS).start()
    except RuntimeStartError as error:
        return f"comfyui_url: {error}"
    return None
