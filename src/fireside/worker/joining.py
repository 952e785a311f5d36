"""What a worker tells of itself when it joins: small facts and hashes; the bodies follow when the server wants them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from blake3 import blake3

from fireside.client.fleet import FleetClient
from fireside.runtimes.base import RuntimeInfo
from fireside.wire.fleet_joining import JoinBody


@dataclass(frozen=True, slots=True)
class Introduction:
    """A worker's words about itself; `publications` are JSON by topic."""

    body: JoinBody
    publications: Mapping[str, bytes]

    async def tell(self, client: FleetClient) -> None:
        """Join, and send what the server does not know yet."""
        for topic in (await client.join(self.body)).wants:
            if topic in self.publications:
                content = self.publications[topic]
                await client.publish(topic, blake3(content).hexdigest(), content)


def introduce(info: RuntimeInfo, *, boot_id: str, labels: Mapping[str, str]) -> Introduction:
    """Put together what the worker tells of its runtime; equal runtimes give equal bytes."""
    publications = {
        "definitions": info.definitions,
        **_json("models", {folder: list(files) for folder, files in info.models.items()}),
        **_json("validators", sorted(info.validators)),
        **_json("snapshot", info.snapshot),
        **_json("subgraphs", info.subgraphs),
        **_json("editor", _editor_files(info)),
    }
    hashes = {f"{topic}_hash": blake3(content).hexdigest() for topic, content in publications.items()}
    body = JoinBody(
        boot_id=boot_id,
        runtime=info.kind,
        version=info.version,
        labels=dict(labels),
        devices=tuple(dict(device) for device in info.devices),
        system=dict(info.system),
        **hashes,
    )
    return Introduction(body, publications)


def _json(topic: str, value: Any) -> dict[str, bytes]:
    """Give the topic's bytes, nothing where there is nothing to say."""
    return {topic: msgspec.json.encode(value, order="sorted")} if value else {}


def _editor_files(info: RuntimeInfo) -> dict[str, Any]:
    named = {"translations": info.translations, "templates": info.templates}
    return {name: value for name, value in named.items() if value}
