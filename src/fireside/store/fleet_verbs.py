"""The store's verbs about workers, and about what they publish."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Topic, Worker, WorkerProfile
from fireside.store.database import Statement
from fireside.store.records import Publication
from fireside.store.rows import profile_of, to_json, worker_of
from fireside.store.verbs import Verbs


class FleetVerbs(Verbs):
    """Workers and publications."""

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
                "models_hash": worker.models_hash,
                "validators_hash": worker.validators_hash,
                "snapshot_hash": worker.snapshot_hash,
                "subgraphs_hash": worker.subgraphs_hash,
                "editor_hash": worker.editor_hash,
                "labels": to_json(worker.labels),
                "joined_at": worker.joined_at,
                "system": to_json(worker.system),
                "devices": to_json(worker.devices),
            },
        )

    async def worker(self, worker_id: WorkerId) -> Worker | None:
        """Read a worker."""
        row = await self._one("worker_by_id", {"id": worker_id})
        return worker_of(row) if row else None

    async def workers(self) -> Sequence[Worker]:
        """Read all workers that are remembered, by name."""
        return [worker_of(row) for row in await self._all("workers")]

    async def worker_profiles(self) -> Sequence[WorkerProfile]:
        """Read what each worker that is remembered can run, by name."""
        return [profile_of(row) for row in await self._all("worker_profiles")]

    async def touch_workers(self, worker_ids: Collection[WorkerId], now: datetime) -> None:
        """Note that these workers are there."""
        await self._write("touch_workers", {"ids": to_json(sorted(worker_ids)).decode(), "now": now})

    async def forget_workers(self, span: timedelta) -> Sequence[WorkerId]:
        """Forget the workers seen so long before the one that was seen last, and what nobody else has published."""
        forget = Statement("forget_workers", {"span_us": span // timedelta(microseconds=1)})
        rows, _ = await self._database.write([forget, Statement("forget_published")])
        return [WorkerId(row["id"]) for row in rows]

    async def publish(self, publication: Publication, now: datetime) -> None:
        """Remember what a worker publishes, once for all that publish the same."""
        params = {"topic": publication.topic.value, "hash": publication.hash, "body": publication.body, "now": now}
        await self._write("publish", params)

    async def published(self, topic: Topic, hashes: Collection[str]) -> Mapping[str, bytes]:
        """Read publications by their hashes; unknown ones are left out."""
        params = {"topic": topic.value, "hashes": to_json(sorted(hashes)).decode()}
        return {row["hash"]: row["body"] for row in await self._all("published", params)}

    async def unknown_publications(self, wanted: Mapping[Topic, str]) -> Sequence[Topic]:
        """Say which of these are not remembered yet."""
        named = to_json([[topic.value, name] for topic, name in wanted.items()]).decode()
        known = {row["topic"] for row in await self._all("known_publications", {"wanted": named})}
        return [topic for topic in wanted if topic.value not in known]
