"""What everybody may know of the fleet: which kinds of machines and devices there are, not how many nor whose.

`GET /api/system_stats` is public, so only named fields pass; names of hosts, command lines and counts stay here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from fireside.domain.workers import Worker
from fireside.wire.v1_system import DeviceBody, SystemBody, SystemStatsBody


def system_stats(workers: Iterable[Worker]) -> SystemStatsBody:
    """Describe the machines that a job may meet, by the worker that joined last and the largest of each figure."""
    known = sorted(workers, key=lambda worker: worker.joined_at, reverse=True)
    return SystemStatsBody(system=_system(known), devices=_devices(known))


def _system(workers: Sequence[Worker]) -> SystemBody:
    systems = [worker.system for worker in workers]
    return SystemBody(
        os=_text(systems, "os"),
        python_version=_text(systems, "python_version"),
        embedded_python=bool(systems and systems[0].get("embedded_python")),
        comfyui_version=_text(systems, "comfyui_version"),
        pytorch_version=_text(systems, "pytorch_version"),
        argv=[],
        ram_total=_most(systems, "ram_total") or 0,
        ram_free=_most(systems, "ram_free") or 0,
    )


def _devices(workers: Iterable[Worker]) -> list[DeviceBody]:
    """Show each kind of device once, numbered anew."""
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for device in (device for worker in workers for device in worker.devices):
        name, kind = device.get("name"), device.get("type")
        if isinstance(name, str) and isinstance(kind, str):
            kinds.setdefault((name, kind), []).append(device)
    return [_device(index, *kind, devices) for index, (kind, devices) in enumerate(sorted(kinds.items()))]


def _device(index: int, name: str, kind: str, devices: Sequence[Mapping[str, Any]]) -> DeviceBody:
    return DeviceBody(
        name=name,
        type=kind,
        index=index,
        vram_total=_most(devices, "vram_total"),
        vram_free=_most(devices, "vram_free"),
        torch_vram_total=_most(devices, "torch_vram_total"),
        torch_vram_free=_most(devices, "torch_vram_free"),
    )


def _text(systems: Iterable[Mapping[str, Any]], key: str) -> str:
    values = (system.get(key) for system in systems)
    return next((value for value in values if isinstance(value, str) and value), "")


def _most(rows: Iterable[Mapping[str, Any]], key: str) -> int | UnsetType:
    values = [int(value) for row in rows if isinstance(value := row.get(key), int | float)]
    return max(values, default=UNSET)
