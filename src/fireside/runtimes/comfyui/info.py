"""What a ComfyUI is, asked anew at each call: node definitions, devices, models, and a snapshot of its software.

A supervised one is asked through our bridge, which sees sizes and commits; an attached one through its own routes.
"""

import asyncio
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, cast

import httpx
import msgspec

from fireside.domain.errors import BadRequest
from fireside.graphs.definitions import blank_input_files, decode_object_info
from fireside.graphs.node_sets import FETCHES
from fireside.runtimes.base import ModelFile, RuntimeInfo, RuntimeStartError
from fireside.runtimes.comfyui.editor_files import read_templates, read_translations
from fireside.runtimes.comfyui.home import Home
from fireside.runtimes.comfyui.http import BRIDGE, NoAnswer, ask, ask_json
from fireside.runtimes.comfyui.subgraphs import read_subgraphs

# Model folders on a slow share are walked for both.
_LISTING_SECONDS = 300.0
_ASK_SECONDS = 60.0
_NOT_MODELS = {"custom_nodes"}
_AT_ONCE = 4
_ANY_FOLDER = "/fireside-worker"
_Models = Mapping[str, tuple[ModelFile, ...]]


async def read_info(home: Home) -> RuntimeInfo:
    """Ask it what it is; raise `RuntimeStartError` when it does not say."""
    try:
        answer = await _object_info(home)
        stats = await ask_json(home.url, "/system_stats", seconds=_ASK_SECONDS)
        system = dict(cast("dict[str, Any]", stats["system"]))
        # Paths of this machine, and whatever its owner gave on the command line.
        system.pop("argv", None)
        definitions = await asyncio.to_thread(_canonical, answer.content, home, await _model_inputs(home))
        models, snapshot, validators = await _rest(home, system, definitions)
        return RuntimeInfo(
            kind="comfyui",
            version=str(system.get("comfyui_version") or "unknown"),
            definitions=definitions,
            devices=tuple(stats["devices"]),
            system=system,
            models=models,
            snapshot=snapshot,
            validators=validators,
            subgraphs=await read_subgraphs(home),
            templates=await read_templates(home),
            translations=await read_translations(home),
        )
    except (NoAnswer, BadRequest, KeyError, TypeError, ValueError) as error:
        what = error if isinstance(error, NoAnswer | BadRequest) else f"it answered something else ({error!r})"
        raise RuntimeStartError(f"ComfyUI did not say what it is: {what}\n{home.log_tail()}") from error


async def _object_info(home: Home) -> httpx.Response:
    headers = home.bridge_headers
    if headers is None:
        return await ask(home.url, "/object_info", seconds=_LISTING_SECONDS)
    return await ask(home.url, f"{BRIDGE}/object_info", seconds=_LISTING_SECONDS, headers=headers)


async def _model_inputs(home: Home) -> Mapping[str, Mapping[str, str]]:
    """Ask which inputs list models that can be fetched, by class."""
    headers = home.bridge_headers
    if headers is None or home.fetched_models is None:
        return {}
    # After the definitions: a node that keeps its first list keeps that of the definitions.
    found = await ask_json(home.url, f"{BRIDGE}/model_inputs", seconds=_LISTING_SECONDS, headers=headers)
    return msgspec.convert(found, dict[str, dict[str, str]])


def _canonical(object_info: bytes, home: Home, model_inputs: Mapping[str, Mapping[str, str]]) -> bytes:
    """Print the definitions the same for equal node sets.

    Classes are sorted, as node packs are loaded in whatever order a folder lists them; inputs keep their order,
    because it is that of the editor's widgets. Paths of the worker's own folder stand in a few defaults.
    """
    if home.folders is not None:
        own = json.dumps(str(home.folders.input.parent))[1:-1].encode()
        object_info = object_info.replace(own, _ANY_FOLDER.encode())
    definitions = blank_input_files(decode_object_info(object_info))
    for name, inputs in model_inputs.items():
        if isinstance(definitions.get(name), dict):
            definitions[name] = {**definitions[name], FETCHES: dict(sorted(inputs.items()))}
    return msgspec.json.encode(dict(sorted(definitions.items())))


async def _rest(
    home: Home, system: Mapping[str, Any], definitions: bytes
) -> tuple[_Models, Mapping[str, Any], tuple[str, ...]]:
    headers = home.bridge_headers
    if headers is None:
        return await _listed_models(home), _outer_snapshot(system, definitions), ()
    sizes, snapshot, validators = [
        await ask_json(home.url, f"{BRIDGE}/{name}", seconds=_LISTING_SECONDS, headers=headers)
        for name in ("models", "snapshot", "validators")
    ]
    return _models_of(msgspec.convert(sizes, dict[str, dict[str, int]])), snapshot, tuple(validators)


async def _listed_models(home: Home) -> _Models:
    """Take names from the lists that nodes choose from, and sizes from the newer lists, which have only some."""
    folders = msgspec.convert(await ask_json(home.url, "/models", seconds=_ASK_SECONDS), list[str])
    wanted = sorted(set(folders) - _NOT_MODELS)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def sizes_of(folder: str) -> dict[str, int]:
        async with turn:
            names = await ask_json(home.url, f"/models/{folder}", seconds=_ASK_SECONDS)
            try:
                files = await ask_json(home.url, f"/experiment/models/{folder}", seconds=_ASK_SECONDS)
            except NoAnswer:
                files = cast("list[Any]", [])
        known: dict[str, int] = {file["name"]: file.get("size", 0) for file in files}
        return {name: known.get(name, 0) for name in names}

    return _models_of(dict(zip(wanted, await asyncio.gather(*map(sizes_of, wanted)), strict=True)))


def _models_of(sizes: Mapping[str, Mapping[str, int]]) -> _Models:
    return {
        folder: tuple(
            ModelFile(name=name, size_bytes=size)
            for name, size in sorted((name.replace("\\", "/"), size) for name, size in files.items())
        )
        for folder, files in sizes.items()
    }


def _outer_snapshot(system: Mapping[str, Any], definitions: bytes) -> Mapping[str, Any]:
    """Say what can be told from outside: versions, and the names of node packs that brought nodes."""
    modules = {
        str(cast("dict[str, Any]", entry).get("python_module", ""))
        for entry in msgspec.json.decode(definitions, type=dict[str, Any]).values()
        if isinstance(entry, dict)
    }
    packs = sorted(
        PurePosixPath(name.removeprefix("custom_nodes.")).name for name in modules if name.startswith("custom_nodes.")
    )
    return {
        "comfyui": {"version": str(system.get("comfyui_version") or "")},
        "custom_nodes": [{"name": name} for name in packs],
        "python": str(system.get("python_version") or "").partition(" ")[0],
        "packages": {"torch": str(system["pytorch_version"])} if system.get("pytorch_version") else {},
    }
