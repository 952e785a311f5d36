from datetime import UTC, datetime, timedelta
from uuid import UUID

from fireside.dispatch.reminders import Reminders
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Lease

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = (WorkerId("w1"), Lease(job_id=JobId(UUID(int=1)), attempt=1, fence=1))


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_nobody_is_told_in_the_first_moment_and_then_once_a_second() -> None:
    reminders = Reminders()
    told = [after(tenths / 10) for tenths in range(31) if reminders.due([RUN], after(tenths / 10))]
    assert told == [after(1), after(2), after(3)]


def test_a_run_that_has_stopped_is_forgotten() -> None:
    reminders = Reminders()
    reminders.due([RUN], NOW)
    assert reminders.due([], after(2)) == []
    assert reminders.due([RUN], after(3)) == []


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    reminders = Reminders()
    reminders.due([RUN], after(3600))
    assert reminders.due([RUN], NOW) == [RUN]
