"""The store's verbs about workers and the node definitions they publish."""

from collections.abc import Sequence
from datetime import datetime

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Worker
from fireside.store.records import DefinitionSet
from fireside.store.rows import definitions_of, to_json, worker_of
from fireside.store.verbs import Verbs


class FleetVerbs(Verbs):
    """Workers and node definitions."""

    async def save_worker(self, worker: Worker) -> None:
        """Remember a worker as it has joined now."""
        await self._write(
            "save_worker",
            {
                "id": worker.id,
                "boot_id": worker.boot_id,
                "runtime": worker.runtime,
                "version": worker.version,
                "definitions_hash": worker.definitions_hash,
                "joined_at": worker.joined_at,
                "system": to_json(worker.system),
                "devices": to_json(worker.devices),
                "labels": to_json(worker.labels),
            },
        )

    async def worker(self, worker_id: WorkerId) -> Worker | None:
        """Read a worker."""
        row = await self._one("worker_by_id", {"id": worker_id})
        return worker_of(row) if row else None

    async def workers(self) -> Sequence[Worker]:
        """Read all workers that ever joined, by name."""
        return [worker_of(row) for row in await self._all("workers")]

    async def save_definitions(self, definitions: DefinitionSet, now: datetime) -> None:
        """Remember node definitions as published now."""
        params = {"hash": definitions.hash, "runtime": definitions.runtime, "body": definitions.body, "now": now}
        await self._write("save_definitions", params)

    async def latest_definitions(self) -> Sequence[DefinitionSet]:
        """One per runtime kind: the set that was published last."""
        return [definitions_of(row) for row in await self._all("latest_definitions")]

    async def republish_definitions(self, hash: str, now: datetime) -> bool:  # noqa: A002  the domain's word for it
        """Make remembered definitions the newest of their runtime again; False when they are not remembered."""
        return bool(await self._write("republish_definitions", {"hash": hash, "now": now}))
