"""The exam of `Store`, continued: workers, and what they publish."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.publishing import publish

from fireside.domain.ids import WorkerId
from fireside.domain.workers import BYTES_PER_GB, Topic, Worker, WorkerKind
from fireside.store.records import Publication
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WORKER = WorkerId("worker-1")


async def test_a_worker_is_remembered_as_it_joined_last(store: Store) -> None:
    worker = Worker(
        id=WORKER, boot_id="1", runtime="builtin", version="0", definitions_hash="h", joined_at=NOW,
        system={"os": "linux"}, devices=({"name": "cpu"},),
    )  # fmt: skip
    again = replace(
        worker, boot_id="2", joined_at=NOW + SECOND, models_hash="m", validators_hash="v", snapshot_hash="s",
        subgraphs_hash="g", editor_hash="e",
        labels={"gpu": "a"},
    )  # fmt: skip

    await store.save_worker(worker)
    await store.save_worker(again)

    assert await store.worker(WORKER) == again
    assert await store.workers() == [again]
    assert await store.worker(WorkerId("other")) is None


async def test_what_a_worker_can_run_is_read_without_the_rest(store: Store) -> None:
    await publish(store, b"{}", models={"vae": {"a": 1}}, labels={"gpu": "a"}, vram_gb=24.0, boot_id="7", now=NOW)

    (profile,) = await store.worker_profiles()

    worker = await store.worker(WORKER)
    assert worker is not None
    assert profile.kind == WorkerKind("builtin", worker.definitions_hash, "")
    assert (profile.id, profile.boot_id, profile.seen_at) == (WORKER, "7", NOW)
    assert (profile.models_hash, profile.labels) == (worker.models_hash, {"gpu": "a"})
    assert profile.vram_bytes == 24 * BYTES_PER_GB


async def test_what_several_publish_is_kept_once_and_only_the_unknown_is_asked_for(store: Store) -> None:
    wanted = {Topic.DEFINITIONS: "a", Topic.MODELS: "a", Topic.SNAPSHOT: "b"}
    assert await store.unknown_publications(wanted) == list(wanted)

    for body in (b"{}", b"{}"):
        await store.publish(Publication(topic=Topic.DEFINITIONS, hash="a", body=body), NOW)
    await store.publish(Publication(topic=Topic.SNAPSHOT, hash="a", body=b"[]"), NOW)

    assert await store.unknown_publications(wanted) == [Topic.MODELS, Topic.SNAPSHOT]
    assert await store.unknown_publications({}) == []
    assert await store.published(Topic.DEFINITIONS, {"a", "b"}) == {"a": b"{}"}
    assert await store.published(Topic.SNAPSHOT, ["a"]) == {"a": b"[]"}


async def test_workers_that_were_seen_long_before_the_last_one_are_forgotten(store: Store) -> None:
    for name, age in (("old", 40), ("kept", 40), ("new", 5)):
        await publish(
            store, name.encode(), worker=name, models={name: {"a": 1}}, snapshot={"of": name}, now=NOW - age * DAY
        )
    await store.touch_workers([WorkerId("kept"), WorkerId("nobody")], NOW)

    assert await store.forget_workers(30 * DAY) == ["old"]

    assert [worker.id for worker in await store.workers()] == ["kept", "new"]
    kept = [worker.definitions_hash for worker in await store.workers()]
    assert sorted((await store.published(Topic.DEFINITIONS, kept)).values()) == [b"kept", b"new"]


async def test_the_last_worker_is_never_forgotten(store: Store) -> None:
    await publish(store, b"{}", now=NOW - 900 * DAY)

    assert await store.forget_workers(DAY) == []

    assert len(await store.workers()) == 1


async def test_snapshots_outlive_their_workers(store: Store) -> None:
    old = await publish(store, b"{}", worker="old", models={"vae": {"a": 1}}, snapshot={"comfyui": "1"}, now=NOW - DAY)
    await publish(store, b"{ }", worker="new", now=NOW)

    await store.forget_workers(SECOND)

    assert list(await store.published(Topic.SNAPSHOT, [old.snapshot_hash])) == [old.snapshot_hash]
    assert await store.published(Topic.MODELS, [old.models_hash]) == {}
    assert await store.published(Topic.DEFINITIONS, [old.definitions_hash]) == {}
