"""How a job's time is drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.server.pages.job_times import WIDTH, bars_of, cached_of, node_bars_of
from fireside.server.pages.words import ago, span
from fireside.store.records import Attempt, TimelineEntry

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


JOB = Job(
    id=JobId(UUID(int=1)),
    user_id=UserId(1),
    state=JobState.SUCCEEDED,
    number=1,
    attempt=1,
    losses=0,
    fence=1,
    worker_id=None,
    created_at=NOW,
    changed_at=_after(100),
    started_at=_after(50),
    ended_at=_after(100),
)
ATTEMPT = Attempt(
    attempt=1,
    worker_id=WorkerId("w1"),
    assigned_at=_after(40),
    started_at=_after(50),
    ended_at=_after(100),
    outcome="succeeded",
    snapshot=None,
)


def test_a_job_waited_was_staged_and_ran() -> None:
    bars = bars_of(JOB, [ATTEMPT], _after(1000))

    assert [(bar.label, bar.x, bar.width, bar.took) for bar in bars] == [
        ("Waiting", 0, 400, "40.0 s"),
        ("Staging", 400, 100, "10.0 s"),
        ("Run", 500, 500, "50.0 s"),
    ]


def test_a_job_that_waits_has_waited_until_now() -> None:
    job = replace(JOB, state=JobState.QUEUED, started_at=None, ended_at=None, changed_at=NOW)

    (bar,) = bars_of(job, [], _after(90))

    assert (bar.label, bar.width, bar.took) == ("Waiting", WIDTH, "1 min 30 s")


def test_a_lost_hand_out_is_told_with_the_wait_behind_it() -> None:
    lost = replace(ATTEMPT, assigned_at=_after(0), started_at=_after(10), ended_at=_after(20), outcome="lost")

    bars = bars_of(JOB, [lost, replace(ATTEMPT, attempt=2)], _after(1000))

    assert [bar.label for bar in bars] == ["Waiting", "Staging 1", "Run 1", "Waiting", "Staging 2", "Run 2"]
    assert (bars[2].note, bars[2].tone) == ("lost", "bad")


def test_every_bar_can_be_seen_and_lies_within() -> None:
    late = replace(ATTEMPT, assigned_at=_after(99.9999), started_at=_after(99.99999))

    bars = bars_of(JOB, [late], _after(1000))

    assert all(bar.width > 0 and 0 <= bar.x <= WIDTH - bar.width for bar in bars)


def test_very_many_hand_outs_are_told_from_the_last_ones() -> None:
    attempts = [replace(ATTEMPT, attempt=number) for number in range(1, 100)]

    bars = bars_of(JOB, attempts, _after(1000))

    assert len(bars) < 50
    assert bars[-1].label == "Run 99"


def test_nodes_last_until_the_next_one_begins() -> None:
    entry = TimelineEntry(
        kind="cached", at=NOW, data={"nodes": ["9"], "began": [["1", 0.0], ["2", 40.0], ["3", 1e300]]}
    )

    bars = node_bars_of(JOB, [entry], {"1": "Loader", "2": "Sampler"})

    assert [(bar.label, bar.note, bar.took) for bar in bars] == [
        ("Loader", "1", "40.0 s"),
        ("Sampler", "2", "10.0 s"),
        ("node", "3", "0 ms"),
    ]
    assert cached_of([entry]) == 1


def test_a_run_of_which_nodes_are_not_known_has_none() -> None:
    assert node_bars_of(JOB, [TimelineEntry(kind="cached", at=NOW, data={"nodes": []})], {}) == []
    assert node_bars_of(JOB, [], {}) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (59, "just now"), (61, "1 min ago"), (7200, "2 h ago"), (90000, "1 day ago")],
)
def test_how_long_ago(seconds: int, text: str) -> None:
    assert ago(NOW, _after(seconds)) == text


def test_what_is_long_ago_is_a_date() -> None:
    assert ago(NOW, _after(86400 * 30)) == "2026-01-01"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 ms"), (0.25, "250 ms"), (2.04, "2.0 s"), (75, "1 min 15 s"), (3725, "1 h 2 min"), (90000, "1 d 1 h")],
)
def test_how_long(seconds: float, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text
