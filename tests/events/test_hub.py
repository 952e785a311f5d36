"""What listeners hear of a user's jobs, over a real bus and a real store, with workers played by hand."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

import pytest
from tests.events.stage import BOOM, DEADLINE_SECONDS, PICTURE, Player, Stage, heard_until

from fireside.bus.subjects import live, live_of_user, live_tasks
from fireside.domain.accounts import User
from fireside.domain.errors import TooMany, Unavailable
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.events import channel
from fireside.events.announcer import TELLER
from fireside.events.heard import Heard
from fireside.events.listener import Closing, Listener, ListenerClosed
from fireside.jobs.cancel import cancel_job
from fireside.runtimes.base import CachedNodes, NodeStarted, NodeState, Preview, Progress, ProgressState
from fireside.store.records import NodeRecord, QueueCounts
from fireside.wire.live import JobEnded, JobStarted, NodeFrame, TaskProgress, decode_fact, encode_task
from fireside.worker.telling import Telling


@pytest.fixture
async def ann(stage: Stage) -> User:
    return await stage.user("ann")


@pytest.fixture
async def worker(stage: Stage) -> Player:
    return await stage.worker()


def state_of(node_id: str, state: str = "running") -> ProgressState:
    node = NodeState(
        node_id=node_id,
        display_node_id=node_id,
        parent_node_id=None,
        real_node_id=node_id,
        class_type="KSampler",
        state=state,
        value=1,
        max=2,
    )
    return ProgressState(nodes=(node,))


def started(node_id: str) -> NodeStarted:
    return NodeStarted(node_id=node_id, display_node_id=node_id)


def is_end_of(job: Job) -> Callable[[Heard], bool]:
    return lambda heard: heard.job_id == job.id and isinstance(heard.fact, JobEnded)


def words(heard: Sequence[Heard]) -> list[str]:
    """Name what was heard, in order."""
    return [type(one.fact or one.frame).__name__ for one in heard]


async def test_a_run_is_heard_in_the_order_it_happens(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)

    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=("1",)), state_of("2"), started("2"))
    await worker.tell(lease, Progress(node_id="2", value=1, max=2))
    await worker.tell(lease, Preview(node_id="2", display_node_id="2", mime="image/png", data=b"png"))
    await worker.show(lease, "2")
    await worker.end(lease)

    heard = await heard_until(listener, is_end_of(job))
    assert words(heard) == [
        "JobQueued",
        "JobAssigned",
        "JobStarted",
        "CachedFrame",
        "StateFrame",
        "NodeFrame",
        "ProgressFrame",
        "PreviewFrame",
        "OutputAdded",
        "JobEnded",
    ]
    assert heard[7].picture == b"png"
    assert {one.job_id for one in heard} == {job.id}


async def test_a_server_that_is_alone_tells_facts_to_itself_and_others_tell_them_over_the_bus(
    stage: Stage, ann: User, worker: Player
) -> None:
    sent: list[str] = []

    async def overhear(subject: str, payload: bytes) -> None:
        sent.append(type(decode_fact(payload)).__name__)

    await stage.services.bus.subscribe(live_of_user(ann.id), overhear)
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    await worker.end(await worker.start(job))

    heard = await heard_until(listener, is_end_of(job))
    await stage.services.bus.flush()

    assert words(heard) == ["JobQueued", "JobAssigned", "JobStarted", "JobEnded"]
    assert sent == ([] if stage.services.store.writes_alone else words(heard))


async def test_counts_come_first_and_after_each_change_of_the_queue(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    assert await listener.next() == Heard(counts=QueueCounts(queued=0, held=0))

    job = await stage.submit(ann)
    await until_counts(listener, QueueCounts(queued=1, held=0))
    lease = await worker.start(job)
    await until_counts(listener, QueueCounts(queued=0, held=1))
    await worker.end(lease)
    await until_counts(listener, QueueCounts(queued=0, held=0))


async def test_counts_are_told_at_most_four_times_a_second(stage: Stage, ann: User) -> None:
    listener = await stage.hear(ann)
    clock = asyncio.get_running_loop().time
    began_at = clock()
    for _ in range(60):
        await stage.submit(ann)

    told: list[QueueCounts] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not told or told[-1].queued < 60:
            counts = (await listener.next()).counts
            told += [counts] if counts is not None else []
    # Beside them, the counts on joining and those of the first change, which nobody has to wait for.
    assert len(told) <= 2 + (clock() - began_at) * 4


async def test_an_end_is_told_once_the_store_shows_it_with_its_outputs(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    lease = await worker.start(job)
    await worker.show(lease, "2")
    ending = asyncio.create_task(worker.end(lease))

    await heard_until(listener, is_end_of(job))

    stored = await stage.services.store.job(job.id)
    assert stored is not None
    assert stored.is_terminal
    assert stored.outputs_count == 1
    await ending


async def test_a_failure_comes_with_all_that_is_known_of_it(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    await worker.end(await worker.start(job), "failed", failure=BOOM, executed=("1",))

    end = (await heard_until(listener, is_end_of(job)))[-1].fact

    assert isinstance(end, JobEnded)
    assert (end.state, end.executed) == ("failed", ("1",))
    assert end.error is not None
    assert end.error["exception_message"] == "boom"


async def test_a_job_canceled_while_it_waits_ends_at_once(stage: Stage, ann: User) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)

    assert await cancel_job(stage.services.desk, ann.id, job.id)

    assert words(await heard_until(listener, is_end_of(job))) == ["JobQueued", "JobEnded"]


async def test_a_job_canceled_while_it_runs_ends_when_its_worker_has_stopped(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    lease = await worker.start(job)
    await cancel_job(stage.services.desk, ann.id, job.id)
    await worker.tell(lease, started("2"))
    await worker.end(lease, "interrupted", interrupted_at="2")

    heard = await heard_until(listener, is_end_of(job))

    assert words(heard)[-4:] == ["JobStarted", "JobCanceling", "NodeFrame", "JobEnded"]
    assert isinstance(heard[-1].fact, JobEnded)
    assert (heard[-1].fact.state, heard[-1].fact.node_id) == ("canceled", "2")


async def test_all_listeners_of_a_user_hear_all_jobs_and_nobody_elses(stage: Stage, ann: User, worker: Player) -> None:
    bob = await stage.user("bob")
    first, second, other = await stage.hear(ann), await stage.hear(ann), await stage.hear(bob)
    job, theirs = await stage.submit(ann), await stage.submit(bob)
    for one in (job, theirs):
        lease = await worker.start(one)
        await worker.tell(lease, CachedNodes(nodes=()), state_of("2"), started("2"))
        await worker.show(lease, "2")
        await worker.end(lease)

    heard = [await heard_until(listener, is_end_of(job)) for listener in (first, second)]
    theirs_heard = await heard_until(other, is_end_of(theirs))

    assert heard[0] == heard[1]
    assert {one.job_id for one in heard[0]} == {job.id}
    assert {one.job_id for one in theirs_heard} == {theirs.id}


async def test_a_worker_cannot_be_heard_by_a_user_whose_job_it_does_not_hold(
    stage: Stage, ann: User, worker: Player
) -> None:
    bob = await stage.user("bob")
    listener = await stage.hear(bob)
    job, theirs = await stage.submit(ann), await stage.submit(bob)
    lease = await worker.start(job)
    telling = Telling(worker.bus, bob.id, worker.worker_id, lease)
    await telling.tell(state_of("2"))
    await telling.settle()
    await worker.bus.flush()
    await worker.end(await worker.start(theirs))

    heard = await heard_until(listener, is_end_of(theirs))

    assert {one.job_id for one in heard} == {theirs.id}


async def test_one_that_comes_in_the_middle_hears_the_run_so_far(stage: Stage, ann: User, worker: Player) -> None:
    first = await stage.hear(ann)
    job = await stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(
        lease, CachedNodes(nodes=("1",)), state_of("2"), started("2"), Progress(node_id="2", value=1, max=9)
    )
    await worker.show(lease, "2")
    await heard_until(first, lambda heard: words([heard]) == ["OutputAdded"])

    second = await stage.hear(ann)
    await worker.end(lease)

    expected = ["JobStarted", "CachedFrame", "OutputAdded", "StateFrame", "NodeFrame", "JobEnded"]
    assert words(await heard_until(second, is_end_of(job))) == expected
    assert worker.asked == []


async def test_the_first_who_comes_in_the_middle_has_the_worker_say_it_again(
    stage: Stage, ann: User, worker: Player
) -> None:
    job = await stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=("1",)), state_of("2"), started("2"))
    await worker.show(lease, "2")

    listener = await stage.hear(ann)
    await heard_until(listener, lambda heard: isinstance(heard.frame, NodeFrame))
    await worker.end(lease)
    second = await stage.hear(ann)

    assert words(await heard_until(listener, is_end_of(job))) == ["JobEnded"]
    assert len(worker.asked) == 1
    assert (await second.next()).counts is not None


async def test_a_worker_that_does_not_answer_keeps_nobody_from_listening(
    stage: Stage, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever waited for it would not be done before the deadline.
    monkeypatch.setattr(channel, "_SNAPSHOT_PAUSE_SECONDS", 10 * DEADLINE_SECONDS)
    silent = await stage.worker("silent")
    lease = await silent.start(await stage.submit(ann))
    await silent.bus.close()

    async with asyncio.timeout(DEADLINE_SECONDS):
        listener = await stage.hear(ann)

    (told,) = await heard_until(listener, lambda heard: isinstance(heard.fact, JobStarted))
    assert told.job_id == lease.job_id


async def test_a_worker_that_lost_the_job_is_not_heard_any_more(stage: Stage, ann: User, worker: Player) -> None:
    second = await stage.worker("worker-2")
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    former = await worker.start(job)
    await worker.tell(former, CachedNodes(nodes=()), state_of("from the first"))
    await worker.show(former, "2", {"text": ["first"]})
    await stage.rescue(job)
    await worker.tell(former, state_of("ghost"))
    lease = await second.start(job)
    await worker.tell(former, started("ghost"), state_of("ghost"))
    await second.tell(lease, CachedNodes(nodes=()), state_of("from the second"))
    await second.show(lease, "2", {"text": ["second"]})
    await second.end(lease)

    heard = await heard_until(listener, is_end_of(job))

    assert "ghost" not in repr(heard)
    assert words(heard) == [
        "JobQueued",
        *("JobAssigned", "JobStarted", "CachedFrame", "StateFrame", "OutputAdded", "JobQueued"),
        *("JobAssigned", "JobStarted", "CachedFrame", "StateFrame", "OutputAdded", "JobEnded"),
    ]


async def test_a_start_that_was_not_announced_is_learned_from_its_frames(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener = await stage.hear(ann)
    job = await stage.remember(ann)
    lease = await worker.take(job)
    services = stage.services
    held = await services.store.job(job.id)
    assert held is not None
    await services.store.change_job(held, running(held, services.clock()))

    await worker.tell(lease, CachedNodes(nodes=("1",)))

    heard = await heard_until(listener, lambda one: one.frame is not None)
    assert words(heard)[-2:] == ["JobStarted", "CachedFrame"]


async def test_an_end_and_an_output_that_were_not_announced_are_found_in_the_store(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener = await stage.hear(ann)
    job, waiting = await stage.submit(ann), await stage.submit(ann)
    lease = await worker.start(job)
    await heard_until(listener, lambda heard: isinstance(heard.fact, JobStarted))
    store, now = stage.services.store, stage.services.clock()
    held = await store.job(job.id)
    assert held is not None
    await store.add_output(held, NodeRecord(node_id="2", display_node_id="2", output=PICTURE), [])
    await store.change_job(held, advance(held, Verb.SUCCEED, now, lease=lease))
    await store.change_job(waiting, advance(waiting, Verb.CANCEL, now))

    await stage.services.hub.catch_up()

    heard = await heard_until(listener, is_end_of(waiting))
    assert [(one.job_id, words([one])) for one in heard] == [(job.id, ["JobEnded"]), (waiting.id, ["JobEnded"])]
    assert [output.node_id for output in heard[0].outputs] == ["2"]
    assert heard[1].outputs == ()


async def test_catching_up_tells_nothing_twice(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    job, waiting = await stage.submit(ann), await stage.submit(ann)
    lease = await worker.start(job)
    await worker.tell(lease, CachedNodes(nodes=()), started("2"))
    await worker.show(lease, "2")
    for _ in range(3):
        await stage.services.hub.catch_up()
    await worker.end(lease)
    await stage.services.hub.catch_up()
    await cancel_job(stage.services.desk, ann.id, waiting.id)

    heard = await heard_until(listener, is_end_of(waiting))

    assert words([one for one in heard if one.job_id == job.id]) == [
        *("JobQueued", "JobAssigned", "JobStarted", "CachedFrame", "NodeFrame", "OutputAdded", "JobEnded")
    ]
    assert words([one for one in heard if one.job_id == waiting.id]) == ["JobQueued", "JobEnded"]


async def test_messages_that_are_none_change_nothing(stage: Stage, ann: User, worker: Player) -> None:
    listener = await stage.hear(ann)
    job = await stage.submit(ann)
    lease = await worker.start(job)
    for payload in (b"", b"\xff", b"\0\0\0\xffshort", b"{}"):
        await worker.bus.publish(live(ann.id, job.id, worker.worker_id), payload)
        await stage.services.bus.publish(live(ann.id, job.id, TELLER), payload)
        await worker.bus.publish(f"live.{ann.id}.not-a-job.{worker.worker_id}", payload)
    await worker.bus.flush()
    await worker.end(lease)

    heard = await heard_until(listener, is_end_of(job))

    assert words(heard) == ["JobQueued", "JobAssigned", "JobStarted", "JobEnded"]


async def test_only_so_many_may_listen_for_a_user(stage: Stage, ann: User) -> None:
    hub, bob = stage.services.hub, await stage.user("bob")
    async with hub.listening(ann.id, at_most=2), hub.listening(bob.id, at_most=1):
        async with hub.listening(ann.id, at_most=2):
            with pytest.raises(TooMany) as refused:
                await stage.doors.enter_async_context(hub.listening(ann.id, at_most=2))
        async with hub.listening(ann.id, at_most=2):
            pass
    assert refused.value.retry_after > 0


async def test_when_the_last_has_left_nothing_of_the_user_is_kept(stage: Stage, ann: User) -> None:
    hub = stage.services.hub
    before = asyncio.all_tasks()
    async with hub.listening(ann.id), hub.listening(ann.id):
        assert len(asyncio.all_tasks() - before) > 0

    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.wait(asyncio.all_tasks() - before | {asyncio.create_task(asyncio.sleep(0))})
    assert not hub._channels
    async with hub.listening(ann.id) as again:
        assert (await again.next()).counts is not None


async def test_a_hub_that_is_closed_ends_its_listeners_and_takes_no_more(stage: Stage, ann: User) -> None:
    hub = stage.services.hub
    listener = await stage.hear(ann)

    await hub.close()

    with pytest.raises(ListenerClosed) as closed:
        await until_counts(listener, QueueCounts(queued=-1, held=0))
    assert closed.value.closing is Closing.STOPPING
    with pytest.raises(Unavailable):
        await stage.hear(ann)


async def until_counts(listener: Listener, wanted: QueueCounts) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await listener.next()).counts != wanted:
            pass


def running(held: Job, now: datetime) -> Job:
    return advance(held, Verb.START, now, lease=held.lease)


async def test_the_progress_of_a_task_is_heard_by_its_owner_and_believed_of_the_server_alone(
    stage: Stage, ann: User, worker: Player
) -> None:
    listener, other = await stage.hear(ann), await stage.hear(await stage.user("bob"))
    true, false = [
        TaskProgress(task_id=uuid4(), status="running", asset_name="a", bytes_total=2, bytes_done=1) for _ in range(2)
    ]

    await worker.bus.publish(live_tasks(ann.id, worker.worker_id), encode_task(false))
    await worker.bus.flush()
    await stage.services.desk.announcer.tell_task(ann.id, true)
    await stage.services.bus.flush()

    (heard,) = await heard_until(listener, lambda one: one.task is not None)
    assert heard.task == true
    assert (await other.next()).task is None
