"""Why a job waits, by what is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fireside.domain.ids import UserId
from fireside.domain.models import ModelOnItsWay
from fireside.domain.pauses import Pause, PauseOrigin
from fireside.domain.waiting import Helper, Lack, WaitFacts, WaitReason, explain

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUSY = Helper(name="w-1", lack=Lack(), is_free=False, takes_jobs=True)
FREE = replace(BUSY, is_free=True)
PLAIN = WaitFacts(
    position=1,
    is_handed_out=False,
    pauses=(),
    held=0,
    max_running=None,
    helpers=(BUSY,),
    away=(),
    seconds_each=10.0,
    seconds_until_free=4.0,
    share=1.0,
)


COMING = ModelOnItsWay(
    worker="w-1", model="loras/a.safetensors", done_bytes=430, size_bytes=1000, bytes_per_second=10.0
)


def pause(user_id: int | None, origin: PauseOrigin, reason: str = "") -> Pause:
    owner = None if user_id is None else UserId(user_id)
    return Pause(user_id=owner, origin=origin, paused_at=NOON, reason=reason)


MINE, ADMINS = pause(1, PauseOrigin.OWNER), pause(1, PauseOrigin.ADMIN, "too much")
FLEETS = pause(None, PauseOrigin.ADMIN, "we move house")


@pytest.mark.parametrize(
    ("facts", "reason", "words"),
    [
        (replace(PLAIN, is_handed_out=True, pauses=(MINE,)), WaitReason.STARTING, "about to begin"),
        (replace(PLAIN, is_handed_out=True, behind_others_on="w-1"), WaitReason.READY, "w-1 has it ready"),
        (replace(PLAIN, is_handed_out=True, fetching=COMING), WaitReason.FETCHING_MODEL, "43 % of 1000 bytes"),
        (
            replace(PLAIN, is_handed_out=True, fetching=COMING, behind_others_on="w-1"),
            WaitReason.FETCHING_MODEL,
            "1000 bytes, 10 bytes a second), and begins the job after the one that it runs.",
        ),
        (replace(PLAIN, pauses=(MINE, ADMINS, FLEETS)), WaitReason.FLEET_PAUSED, "we move house"),
        (replace(PLAIN, pauses=(MINE, ADMINS)), WaitReason.PAUSED_BY_ADMIN, "too much"),
        (replace(PLAIN, pauses=(MINE,), helpers=()), WaitReason.PAUSED, "You have paused"),
        (replace(PLAIN, helpers=()), WaitReason.NO_WORKER, "No worker is there."),
        (replace(PLAIN, helpers=(), away=("w-7",)), WaitReason.NO_WORKER, "w-7 could run it and is away."),
        (
            replace(PLAIN, helpers=(replace(FREE, takes_jobs=False),), away=("w-7",)),
            WaitReason.NO_WORKER,
            "w-1 could run it and takes no jobs now.",
        ),
        (replace(PLAIN, held=2, max_running=2, position=3), WaitReason.MAX_RUNNING, "2 of your jobs run"),
        (replace(PLAIN, position=3), WaitReason.QUEUE, "2 of your own jobs are ahead"),
        (PLAIN, WaitReason.CAPACITY, "The worker that can run it is busy."),
        (replace(PLAIN, helpers=(BUSY, BUSY)), WaitReason.CAPACITY, "All 2 workers"),
        (replace(PLAIN, helpers=(BUSY, FREE)), WaitReason.CAPACITY, "about to be handed"),
    ],
)
def test_the_reason_is_what_has_to_change_first(facts: WaitFacts, reason: WaitReason, words: str) -> None:
    waiting = explain(facts, NOON)

    assert waiting.reason is reason
    assert words in waiting.message


@pytest.mark.parametrize(
    ("coming", "behind", "seconds"),
    [
        (COMING, None, 57),
        (replace(COMING, bytes_per_second=190.0), "w-1", 4),
        (replace(COMING, bytes_per_second=0.0), None, None),
        (replace(COMING, bytes_per_second=None), None, None),
        (replace(COMING, bytes_per_second=1e-9), None, None),
        (replace(COMING, done_bytes=2000), None, None),
    ],
    ids=["by its rate", "not before the worker is free", "stalled", "not known", "in ages", "nonsense"],
)
def test_a_job_may_begin_when_its_model_is_there(
    coming: ModelOnItsWay, behind: str | None, seconds: int | None
) -> None:
    waiting = explain(replace(PLAIN, is_handed_out=True, fetching=coming, behind_others_on=behind), NOON)

    assert waiting.starts_at == (None if seconds is None else NOON + timedelta(seconds=seconds))
    assert waiting.fetching == coming


@pytest.mark.parametrize(
    ("done", "size", "percent"), [(0, 0, 0), (-5, 10, 0), (10, 10, 99), (10**30, 10, 99), (1, 3, 33)]
)
def test_whatever_a_worker_says_of_a_model_is_a_share_of_it(done: int, size: int, percent: int) -> None:
    assert replace(COMING, done_bytes=done, size_bytes=size).percent == percent


def test_what_is_missing_is_told_of_the_worker_that_comes_nearest() -> None:
    near = Lack(models=("big.safetensors",), labels={"gpu": "h100"})
    far = Lack(nodes=("A", "B", "C", "D"), vram_bytes=23_990_000_001)
    helpers = (replace(FREE, lack=far), replace(FREE, lack=near))

    waiting = explain(replace(PLAIN, helpers=helpers), NOON)

    assert waiting.reason is WaitReason.NO_WORKER
    assert waiting.lack == near
    assert waiting.message == "No worker that is there has the file big.safetensors, the label gpu=h100."
    assert waiting.starts_at is None
    alone = explain(replace(PLAIN, helpers=helpers[:1]), NOON)
    assert (
        alone.message == "No worker that is there has the node A, the node B, the node C, 23.99 GB of VRAM and 1 more."
    )


@pytest.mark.parametrize(
    ("facts", "seconds"),
    [
        (PLAIN, 4),
        (replace(PLAIN, helpers=(FREE,)), 0),
        (replace(PLAIN, position=3), 24),
        (replace(PLAIN, position=3, helpers=(BUSY, BUSY), share=0.5), 24),
        (replace(PLAIN, position=3, helpers=(BUSY, BUSY)), 14),
        (replace(PLAIN, position=3, helpers=(BUSY, BUSY), max_running=1), 24),
        (replace(PLAIN, position=101, seconds_until_free=5.0), 1010),
    ],
)
def test_the_estimate_lets_earlier_jobs_flow_through_the_owners_part_of_the_fleet(
    facts: WaitFacts, seconds: float
) -> None:
    assert explain(facts, NOON).starts_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("facts", [replace(PLAIN, pauses=(MINE,)), replace(PLAIN, helpers=())])
def test_nobody_can_know_when_a_pause_ends_or_a_worker_comes(facts: WaitFacts) -> None:
    assert explain(facts, NOON).starts_at is None
