"""How a job is shown, for every job there can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from fireside.domain.errors import NotFound
from fireside.domain.ids import JobId, UserId
from fireside.domain.jobs import TERMINAL_STATES, Job, JobState
from fireside.server.v1.rendering import (
    MILLISECOND,
    SECOND,
    STATUSES,
    entry_of,
    job_id_of,
    job_ids_of,
    run_times,
    status_of,
    unix_time,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.timedeltas(timedelta(0), timedelta(days=365 * 1000)).map(lambda since: EPOCH + since)
OFFSETS = st.timedeltas(timedelta(0), timedelta(milliseconds=3))
"""So small that how they are rounded shows."""


def _ended(started_at: datetime | None, ended_at: datetime, state: JobState = JobState.SUCCEEDED) -> Job:
    return Job(
        id=JobId(uuid4()),
        user_id=UserId(1),
        state=state,
        number=1.0,
        attempt=1,
        losses=0,
        fence=1,
        worker_id=None,
        created_at=started_at or ended_at,
        changed_at=ended_at,
        started_at=started_at,
        ended_at=ended_at,
    )


@given(OFFSETS, OFFSETS, OFFSETS, OFFSETS)
def test_of_two_jobs_the_one_that_ran_longer_never_shows_a_shorter_run(
    first_start: timedelta, second_start: timedelta, run: timedelta, more: timedelta
) -> None:
    shorter = _ended(NOW + first_start, NOW + first_start + run)
    longer = _ended(NOW + second_start, NOW + second_start + run + more)

    shown = [end - start for start, end in filter(None, map(run_times, (shorter, longer)))]

    assert len(shown) == 2
    assert 0 <= shown[0] <= shown[1]


@given(TIMES)
def test_a_time_is_shown_in_whole_units_that_agree(at: datetime) -> None:
    milliseconds = unix_time(at, MILLISECOND)

    assert milliseconds // 1000 == unix_time(at, SECOND)
    assert timedelta(0) <= at - (EPOCH + milliseconds * MILLISECOND) < MILLISECOND


def test_every_state_has_its_words() -> None:
    for state in JobState:
        job = _ended(NOW, NOW, state)
        assert entry_of(job, SECOND).status == STATUSES[state]
        assert bool(status_of(job, strict=False).error_message) == (STATUSES[state] == "failed")


def test_a_preview_is_of_ended_jobs_and_an_error_of_failed_ones_whatever_the_store_holds() -> None:
    for state in JobState:
        entry = entry_of(replace(_ended(NOW, NOW, state), preview=b"{}", error=b"{}"), SECOND)
        assert (entry.preview_output is not UNSET) == (state in TERMINAL_STATES)
        assert (entry.execution_error is not UNSET) == (STATUSES[state] == "failed")


def test_a_job_that_took_over_the_outputs_of_another_took_no_time() -> None:
    at = unix_time(NOW, MILLISECOND)

    assert run_times(_ended(None, NOW)) == (at, at)
    assert run_times(_ended(None, NOW, JobState.CANCELED)) is None


@pytest.mark.parametrize(
    "text", ["", "x", "urn:uuid:{}", "{{{}}}", " {}", "{} ", "{}\n", "\0", "0" * 32, "\u0660" * 36, "-" * 36]
)
def test_only_the_canonical_spelling_is_an_id(text: str) -> None:
    with pytest.raises(NotFound):
        job_id_of(text.format(uuid4()))


@given(st.uuids())
def test_an_id_is_read_as_it_is_written(value: UUID) -> None:
    assert job_id_of(str(value)) == job_id_of(str(value).upper()) == value


def test_of_many_texts_the_ids_are_read_once_each_and_in_order() -> None:
    first, second = uuid4(), uuid4()

    assert job_ids_of([str(second), "x", str(first), str(second).upper()]) == [second, first]
