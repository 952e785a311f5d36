"""In which trace a job is, where traces go, and what a worker says that makes no sense."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fireside.config import Config
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.store.records import Attempt, TimelineEntry
from fireside.traces.context import Origin, origin_of, read_traceparent, received, span_id_of, trace_id_of
from fireside.traces.spans import Traced, told_of
from fireside.traces.target import target_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB_ID = JobId(UUID(int=0xABC))
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
COLLECTOR = "http://collector:4318"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nothing",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
    ],
    ids=["none", "empty", "word", "version", "no-trace", "no-span", "upper", "longer", "shorter"],
)
def test_a_traceparent_that_says_nothing_is_none(header: str | None) -> None:
    assert read_traceparent(header) is None
    assert received(NOW, header).data == {}


def test_a_later_version_may_say_more() -> None:
    caller = read_traceparent(f"01-{TRACE}-{SPAN}-01-more")

    assert caller is not None
    assert caller.trace_id.hex() == TRACE


def test_what_is_noted_at_submit_is_read_by_every_server() -> None:
    entry = received(NOW, f"00-{TRACE}-{SPAN}-00")

    origin = origin_of(entry, NOW + timedelta(seconds=1))

    assert (origin.received_at, origin.is_traced) == (NOW, False)
    assert trace_id_of(JOB_ID, origin).hex() == TRACE


def test_a_job_from_before_there_were_traces_begins_when_it_was_made() -> None:
    origin = origin_of(None, NOW)

    assert origin == Origin(received_at=NOW)
    assert trace_id_of(JOB_ID, origin) == JOB_ID.bytes


def test_a_clock_that_steps_back_makes_no_job_older_than_itself() -> None:
    assert origin_of(TimelineEntry(kind="received", at=NOW + timedelta(hours=1)), NOW).received_at == NOW


def test_no_id_is_all_zeros() -> None:
    nil = JobId(UUID(int=0))

    assert any(trace_id_of(nil, Origin(received_at=NOW)))
    assert any(span_id_of(nil))


def _ran(told: dict[str, Any]) -> list[tuple[str, datetime, datetime]]:
    job = Job(
        id=JOB_ID,
        user_id=UserId(2),
        state=JobState.SUCCEEDED,
        number=1,
        attempt=1,
        losses=0,
        fence=1,
        worker_id=WorkerId("gpu"),
        created_at=NOW,
        changed_at=NOW + timedelta(seconds=9),
        started_at=NOW + timedelta(seconds=2),
        ended_at=NOW + timedelta(seconds=9),
    )
    attempt = Attempt(
        attempt=1,
        worker_id=WorkerId("gpu"),
        assigned_at=NOW + timedelta(seconds=1),
        started_at=job.started_at,
        ended_at=job.ended_at,
        outcome="succeeded",
        snapshot=None,
    )
    spans = Traced(job, Origin(received_at=NOW)).attempt(attempt, told_of(told), {"1": "KSampler"})
    return [(span.name, span.begin, span.end) for span in spans]


@pytest.mark.parametrize("seconds", [-5.0, 1e30], ids=["before", "after"])
def test_whatever_a_worker_says_of_its_times_lies_within_the_run(seconds: float) -> None:
    told = {"began": [("1", seconds), ("2", 0.0)], "uploads": [("2", seconds, 1e30, 5)], "computed": seconds}

    spans = _ran(told)

    assert [name for name, _, _ in spans] == ["stage", "run", "KSampler", "node", "upload", "deliver"]
    assert all(NOW <= begin <= end <= NOW + timedelta(seconds=9) for _, begin, end in spans)


def test_a_worker_that_says_nothing_has_a_run_until_the_end() -> None:
    assert _ran({})[-1] == ("run", NOW + timedelta(seconds=2), NOW + timedelta(seconds=9))


@pytest.mark.parametrize(
    ("settings", "environment", "url"),
    [
        ({}, {}, None),
        ({"otlp_endpoint": COLLECTOR}, {}, f"{COLLECTOR}/v1/traces"),
        ({"otlp_endpoint": f"{COLLECTOR}/v1/traces"}, {}, f"{COLLECTOR}/v1/traces"),
        ({"otlp_endpoint": COLLECTOR}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://other"}, f"{COLLECTOR}/v1/traces"),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{COLLECTOR}/"}, f"{COLLECTOR}/v1/traces"),
        ({}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{COLLECTOR}/here"}, f"{COLLECTOR}/here"),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_SDK_DISABLED": "true"}, None),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, None),
        ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
    ],
    ids=["nowhere", "ours", "whole", "ours-first", "theirs", "theirs-whole", "disabled", "none", "grpc"],
)
def test_traces_go_where_the_settings_or_the_environment_say(
    settings: dict[str, Any], environment: dict[str, str], url: str | None
) -> None:
    target = target_of(Config(**settings), environment)

    assert (target and target.url) == url


def test_a_collector_is_shown_what_it_wants_and_people_no_credential() -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://ada:secret@collector",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b,x-other=c",
        "OTEL_SERVICE_NAME": "studio",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=night",
    }

    target = target_of(Config(), environment, instance="one")

    assert target is not None
    assert target.headers == {"x-key": "a b", "x-other": "c"}
    assert target.resource.items() >= {
        ("service.name", "studio"),
        ("deployment.environment.name", "night"),
        ("service.instance.id", "one"),
    }
    assert "secret" not in target.shown + repr(target)
