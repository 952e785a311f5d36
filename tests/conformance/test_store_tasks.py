"""The exam of `Store`, continued: tasks, which somebody takes, and which end once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fireside.domain.accounts import User
from fireside.domain.errors import TooMany
from fireside.domain.tasks import FETCH_ASSET, Task, TaskStatus
from fireside.store.store import Changed, Store
from fireside.store.task_verbs import TaskFilter

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def new_task(user: User, key: str, *, at: datetime = NOW, name: str = FETCH_ASSET) -> Task:
    return Task(
        id=uuid4(), user_id=user.id, name=name, key=key, payload=b'{"url":"x"}', status=TaskStatus.CREATED, attempt=0,
        due_at=at, created_at=at, changed_at=at, bytes_total=7,
    )  # fmt: skip


async def added(store: Store, user: User, key: str, *, at: datetime = NOW, name: str = FETCH_ASSET) -> Task:
    return await store.add_task(new_task(user, key, at=at, name=name), most_waiting=10)


async def take(store: Store, now: datetime = NOW, *, of_a_user: int = 10, limit: int = 10) -> list[Task]:
    return list(await store.take_tasks(now, now + MINUTE, most_of_a_user=of_a_user, limit=limit))


async def test_a_task_is_remembered_and_is_its_owners(store: Store, ann: User, bob: User) -> None:
    task = new_task(ann, "a")

    assert await store.add_task(task, most_waiting=1) == task
    assert await store.task(task.id, user_id=ann.id) == task
    assert await store.task(task.id, user_id=bob.id) is None
    assert await store.tasks(bob.id, TaskFilter(), limit=10) == []


async def test_an_equal_task_that_has_not_ended_is_the_same_one(store: Store, ann: User, bob: User) -> None:
    first = await added(store, ann, "a")

    assert (await added(store, ann, "a")).id == first.id
    assert (await added(store, bob, "a")).id != first.id
    assert await store.cancel_task(first.id, NOW, user_id=ann.id)
    assert (await added(store, ann, "a")).id != first.id


async def test_a_user_has_only_so_many_tasks_that_have_not_ended(store: Store, ann: User, bob: User) -> None:
    await store.add_task(new_task(ann, "a"), most_waiting=1)

    with pytest.raises(TooMany):
        await store.add_task(new_task(ann, "b"), most_waiting=1)
    assert (await store.add_task(new_task(ann, "a"), most_waiting=1)).key == "a"
    await store.add_task(new_task(bob, "b"), most_waiting=1)


async def test_a_task_is_taken_by_one_and_by_another_when_that_one_is_gone(store: Store, ann: User) -> None:
    task = await added(store, ann, "a")

    (first,) = await take(store)
    assert (first.id, first.status, first.attempt, first.started_at) == (task.id, TaskStatus.RUNNING, 1, NOW)
    assert first.due_at == NOW + MINUTE
    assert await take(store, NOW + MINUTE - SECOND) == []
    (second,) = await take(store, NOW + MINUTE)
    assert (second.attempt, second.started_at) == (2, NOW)
    with pytest.raises(Changed):
        await store.end_task(first, NOW + MINUTE)
    with pytest.raises(Changed):
        await store.keep_task(first, NOW, NOW + MINUTE, bytes_done=1, bytes_total=2)
    ended = await store.end_task(second, NOW + 2 * MINUTE, result=b"{}")
    assert (ended.status, ended.ended_at, ended.due_at, ended.result) == (
        TaskStatus.COMPLETED, NOW + 2 * MINUTE, None, b"{}",
    )  # fmt: skip
    with pytest.raises(Changed):
        await store.end_task(second, NOW)
    assert await take(store, NOW + timedelta(days=1)) == []


async def test_whoever_keeps_a_task_has_it_for_longer(store: Store, ann: User) -> None:
    await added(store, ann, "a")
    (task,) = await take(store)

    kept = await store.keep_task(task, NOW + SECOND, NOW + 9 * MINUTE, bytes_done=3, bytes_total=None)

    assert (kept.bytes_done, kept.bytes_total, kept.changed_at) == (3, None, NOW + SECOND)
    assert await take(store, NOW + 8 * MINUTE) == []


async def test_a_task_that_is_given_back_waits_for_its_time(store: Store, ann: User) -> None:
    await added(store, ann, "a")
    (task,) = await take(store)

    back = await store.give_task_back(task, NOW, NOW + 5 * SECOND, error="broke")

    assert (back.status, back.due_at, back.error) == (TaskStatus.CREATED, NOW + 5 * SECOND, "broke")
    assert await take(store, NOW + 4 * SECOND) == []
    (again,) = await take(store, NOW + 5 * SECOND)
    assert again.attempt == 2
    assert (await store.end_task(again, NOW, error="no")).status is TaskStatus.FAILED


async def test_the_tasks_of_one_user_do_not_fill_the_house(store: Store, ann: User, bob: User) -> None:
    keys = [(await added(store, ann, f"a{n}", at=NOW + n * SECOND)).key for n in range(4)]
    await added(store, bob, "b", at=NOW + 9 * SECOND)
    now = NOW + MINUTE

    taken = await take(store, now, of_a_user=2)

    assert [task.key for task in taken] == [*keys[:2], "b"]
    assert await take(store, now, of_a_user=2) == []
    await store.end_task(taken[0], now)
    assert [task.key for task in await take(store, now, of_a_user=2)] == keys[2:3]
    assert await take(store, now, of_a_user=9, limit=0) == []


async def test_a_canceled_task_has_ended_for_its_taker_too(store: Store, ann: User, bob: User) -> None:
    await added(store, ann, "a")
    (task,) = await take(store)

    assert not await store.cancel_task(task.id, NOW, user_id=bob.id)
    assert await store.cancel_task(task.id, NOW, user_id=ann.id)
    assert not await store.cancel_task(task.id, NOW, user_id=ann.id)
    with pytest.raises(Changed):
        await store.end_task(task, NOW)
    canceled = await store.task(task.id, user_id=ann.id)
    assert canceled is not None
    assert (canceled.status, canceled.error, canceled.has_ended) == (TaskStatus.CANCELED, None, True)


async def test_tasks_are_listed_by_what_is_asked_for(store: Store, ann: User) -> None:
    first, second, third = [
        await added(store, ann, key, at=NOW + n * SECOND, name=name)
        for n, (key, name) in enumerate([("a", FETCH_ASSET), ("b", "other"), ("c", FETCH_ASSET)])
    ]
    await store.cancel_task(third.id, NOW + MINUTE, user_id=ann.id)

    async def listed(wanted: TaskFilter, limit: int = 10) -> list[str]:
        return [task.key for task in await store.tasks(ann.id, wanted, limit=limit)]

    assert await listed(TaskFilter()) == ["c", "b", "a"]
    assert await listed(TaskFilter(oldest_first=True), limit=2) == ["a", "b"]
    assert await listed(TaskFilter(name="other")) == ["b"]
    assert await listed(TaskFilter(key="a")) == ["a"]
    assert await listed(TaskFilter(statuses=[TaskStatus.CANCELED, TaskStatus.COMPLETED])) == ["c"]
    assert await listed(TaskFilter(created_after=first.created_at)) == ["c", "b"]
    assert await listed(TaskFilter(created_before=second.created_at)) == ["a"]


async def test_tasks_that_ended_long_ago_are_forgotten(store: Store, ann: User) -> None:
    old, young, open_one = [await added(store, ann, key) for key in "abc"]
    await store.cancel_task(old.id, NOW, user_id=ann.id)
    await store.cancel_task(young.id, NOW + MINUTE, user_id=ann.id)

    await store.forget_tasks(NOW + SECOND)

    left = {task.id for task in await store.tasks(ann.id, TaskFilter(), limit=10)}
    assert left == {young.id, open_one.id}
