"""What a worker that has joined leaves in the store, for tests that need its nodes and not itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from blake3 import blake3

from fireside.domain.ids import WorkerId
from fireside.domain.workers import BYTES_PER_GB, Topic, Worker
from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES
from fireside.store.records import Publication
from fireside.store.store import Store

BUILTIN = definitions_of(NODES.values())
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def one_class(name: str, *, outputs: Sequence[str] = (), is_output: bool = True, **inputs: Any) -> dict[str, Any]:
    """A class of nodes as object_info has it."""
    return {name: {"input": {"required": inputs}, "output": list(outputs), "name": name, "output_node": is_output}}


async def publish(
    store: Store,
    definitions: bytes = BUILTIN,
    *,
    worker: str = "worker-1",
    runtime: str = "builtin",
    models: Mapping[str, Mapping[str, int]] | None = None,
    validators: Sequence[str] = (),
    snapshot: Mapping[str, Any] | None = None,
    subgraphs: Sequence[tuple[str, str, str]] = (),
    editor: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    vram_gb: float = 0.0,
    boot_id: str = "boot-1",
    now: datetime = NOON,
) -> Worker:
    """Remember a worker of this name with these nodes."""
    files = {
        folder: [{"name": name, "size_bytes": size} for name, size in of.items()]
        for folder, of in (models or {}).items()
    }
    bodies = {Topic.DEFINITIONS: definitions}
    bodies |= {Topic.MODELS: msgspec.json.encode(files)} if files else {}
    bodies |= {Topic.VALIDATORS: msgspec.json.encode(list(validators))} if validators else {}
    bodies |= {Topic.SNAPSHOT: msgspec.json.encode(snapshot)} if snapshot else {}
    blueprints = [{"node_pack": pack, "name": name, "data": data} for pack, name, data in subgraphs]
    bodies |= {Topic.SUBGRAPHS: msgspec.json.encode(blueprints)} if blueprints else {}
    bodies |= {Topic.EDITOR: msgspec.json.encode(editor)} if editor else {}
    hashes = {topic: blake3(body).hexdigest() for topic, body in bodies.items()}
    made = Worker(
        id=WorkerId(worker),
        boot_id=boot_id,
        runtime=runtime,
        version="1",
        definitions_hash=hashes[Topic.DEFINITIONS],
        models_hash=hashes.get(Topic.MODELS, ""),
        validators_hash=hashes.get(Topic.VALIDATORS, ""),
        snapshot_hash=hashes.get(Topic.SNAPSHOT, ""),
        subgraphs_hash=hashes.get(Topic.SUBGRAPHS, ""),
        editor_hash=hashes.get(Topic.EDITOR, ""),
        labels=labels or {},
        joined_at=now,
        devices=({"name": "gpu", "type": "cuda", "vram_total": int(vram_gb * BYTES_PER_GB)},) if vram_gb else (),
    )
    await store.save_worker(made)
    for topic, body in bodies.items():
        await store.publish(Publication(topic=topic, hash=hashes[topic], body=body), now)
    return made
