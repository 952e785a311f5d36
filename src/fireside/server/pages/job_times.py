"""How a job's time went, as bars: each hand-out with its waiting, staging and run, and the nodes of the last. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from fireside.domain.jobs import Job, JobState
from fireside.server.pages.words import span
from fireside.store.records import Attempt, TimelineEntry

WIDTH = 1000
_LEAST_WIDTH = 4
_MOST_NODES = 60
_MOST_ATTEMPTS = 12
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One stretch of time, from `x` on `width` wide of `WIDTH`; `tone` names its color."""

    label: str
    note: str
    tone: str
    x: int
    width: int
    took: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    label: str
    note: str
    tone: str
    begin: datetime
    end: datetime


def bars_of(job: Job, attempts: Sequence[Attempt], now: datetime) -> list[Bar]:
    """Draw how the job waited, was staged and ran, hand-out by hand-out; what goes on ends now."""
    until = job.ended_at or max(now, job.changed_at)
    shown = attempts[-_MOST_ATTEMPTS:]
    stretches: list[_Stretch] = []
    free_at = job.created_at if len(shown) == len(attempts) else shown[0].assigned_at
    for attempt in shown:
        end = attempt.ended_at or until
        number = f" {attempt.attempt}" if len(attempts) > 1 else ""
        stretches.append(_Stretch(label="Waiting", note="", tone="wait", begin=free_at, end=attempt.assigned_at))
        begun = attempt.started_at or end
        staging = _Stretch(
            label=f"Staging{number}", note=str(attempt.worker_id), tone="stage", begin=attempt.assigned_at, end=begun
        )
        stretches.append(staging)
        if attempt.started_at is not None:
            note = attempt.outcome if attempt.outcome not in (None, "succeeded") else ""
            tone = "bad" if attempt.outcome not in (None, "succeeded") else "run"
            run = _Stretch(label=f"Run{number}", note=note or "", tone=tone, begin=attempt.started_at, end=end)
            stretches.append(run)
        free_at = end
    if not attempts or job.state is JobState.QUEUED:
        stretches.append(_Stretch(label="Waiting", note="", tone="wait", begin=free_at, end=until))
    return _drawn(stretches, job.created_at if len(shown) == len(attempts) else shown[0].assigned_at, until)


def node_bars_of(job: Job, timeline: Sequence[TimelineEntry], classes: Mapping[str, str]) -> list[Bar]:
    """Draw the nodes of the run that ended the job, if its worker has told when they began."""
    began = _began(timeline)
    if job.started_at is None or job.ended_at is None or not began:
        return []
    longest = job.run_time.total_seconds()
    begins = [job.started_at + timedelta(seconds=min(max(0.0, seconds), longest)) for _, seconds in began]
    ends = [*begins[1:], job.ended_at]
    stretches = [
        _Stretch(label=classes.get(node_id, "node"), note=node_id, tone="run", begin=begin, end=end)
        for (node_id, _), begin, end in zip(began, begins, ends, strict=True)
    ]
    return _drawn(stretches[:_MOST_NODES], job.started_at, job.ended_at)


def cached_of(timeline: Sequence[TimelineEntry]) -> int:
    """Say how many nodes of the last run the runtime had the results of."""
    nodes = _last_data(timeline).get("nodes")
    return len(cast("list[Any]", nodes)) if isinstance(nodes, list) else 0


def _began(timeline: Sequence[TimelineEntry]) -> list[tuple[str, float]]:
    """Read when nodes began, in seconds from the start of the run."""
    return msgspec.convert(_last_data(timeline).get("began", []), list[tuple[str, float]])


def _last_data(timeline: Sequence[TimelineEntry]) -> Mapping[str, Any]:
    return next((entry.data for entry in reversed(timeline) if entry.kind == "cached"), _NOTHING)


def _drawn(stretches: Sequence[_Stretch], begin: datetime, end: datetime) -> list[Bar]:
    whole = max((end - begin).total_seconds(), 1e-6)
    return [_bar(stretch, begin, whole) for stretch in stretches]


def _bar(stretch: _Stretch, begin: datetime, whole: float) -> Bar:
    took = max(timedelta(0), stretch.end - stretch.begin)
    width = max(_LEAST_WIDTH, min(WIDTH, round(WIDTH * took.total_seconds() / whole)))
    x = round(WIDTH * (stretch.begin - begin).total_seconds() / whole)
    return Bar(
        label=stretch.label,
        note=stretch.note,
        tone=stretch.tone,
        x=max(0, min(WIDTH - width, x)),
        width=width,
        took=span(took),
    )
