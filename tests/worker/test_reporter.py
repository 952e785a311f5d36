"""Reports that travel together, and stand for themselves all the same."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import msgspec
import pytest
from tests.jobs.workshop import PlayedWorker, Workshop, until

from fireside.bus.subjects import reports
from fireside.domain.accounts import User
from fireside.domain.errors import StaleLease
from fireside.domain.jobs import JobState, Lease
from fireside.server.fleet_reports import FleetReports
from fireside.wire.fleet import EndReport, LeaseBody, ReportReply, StartReport
from fireside.worker.reporter import Reporter


def start(lease: Lease) -> StartReport:
    return StartReport(lease=LeaseBody.of(lease))


def end(lease: Lease) -> EndReport:
    return EndReport(lease=LeaseBody.of(lease), outcome="succeeded", run_seconds=1.0)


@pytest.fixture
async def worker(shop: Workshop) -> PlayedWorker:
    return await shop.worker()


@pytest.fixture
async def server(shop: Workshop) -> AsyncGenerator[FleetReports]:
    server = FleetReports(shop.services)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def messages(shop: Workshop, worker: PlayedWorker) -> list[bytes]:
    """What was sent, by messages."""
    sent: list[bytes] = []

    async def hear(subject: str, payload: bytes) -> None:
        sent.append(payload)

    await shop.services.bus.subscribe(reports(worker.id), hear)
    return sent


async def run_and_next(shop: Workshop, worker: PlayedWorker, ann: User) -> tuple[Lease, Lease]:
    """Have one job run and the next one assigned."""
    first, second = await shop.submit(ann), await shop.submit(ann)
    return await shop.started(first, worker), await shop.assigned(second, worker)


async def delivered_together(
    reporter: Reporter, former: Lease, following: Lease
) -> tuple[ReportReply | BaseException, ReportReply | BaseException]:
    """Deliver a start that waits for company, and an end that comes at once."""
    started, ended = await asyncio.gather(
        reporter.deliver(start(following), with_neighbor=True), reporter.deliver(end(former)), return_exceptions=True
    )
    return started, ended


@pytest.mark.usefixtures("server")
async def test_a_start_travels_with_the_end_before_it(
    shop: Workshop, worker: PlayedWorker, ann: User, messages: list[bytes]
) -> None:
    former, following = await run_and_next(shop, worker, ann)

    said = await delivered_together(Reporter(worker.bus, worker.id), former, following)

    assert said == (ReportReply(status="ok"), ReportReply(status="ok"))
    assert await shop.state(former) is JobState.SUCCEEDED
    assert await shop.state(following) is JobState.RUNNING
    await until(lambda: bool(messages))
    assert len(messages) == 1


@pytest.mark.usefixtures("server")
async def test_a_start_that_nothing_follows_goes_alone(
    shop: Workshop, worker: PlayedWorker, ann: User, messages: list[bytes]
) -> None:
    lease = await shop.assigned(await shop.submit(ann), worker)

    await Reporter(worker.bus, worker.id).deliver(start(lease), with_neighbor=True)

    assert await shop.state(lease) is JobState.RUNNING
    await until(lambda: messages == [msgspec.json.encode(start(lease))])


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("lost", ["former", "following"])
async def test_each_of_several_reports_is_held_against_its_own_lease(
    shop: Workshop, worker: PlayedWorker, ann: User, lost: str
) -> None:
    former, following = await run_and_next(shop, worker, ann)
    past = {lost: replace({"former": former, "following": following}[lost], fence=99)}

    started, ended = await delivered_together(
        Reporter(worker.bus, worker.id), past.get("former", former), past.get("following", following)
    )

    assert isinstance(ended, StaleLease) is (lost == "former")
    assert isinstance(started, StaleLease) is (lost == "following")
    assert (await shop.state(former) is JobState.RUNNING) is (lost == "former")
    assert (await shop.state(following) is JobState.ASSIGNED) is (lost == "following")


async def test_a_server_that_does_not_know_several_reports_is_told_each_alone(
    shop: Workshop, worker: PlayedWorker, ann: User
) -> None:
    server = FleetReports(shop.services)

    async def hear(subject: str, payload: bytes) -> bytes:
        is_list = payload.startswith(b"[")
        return msgspec.json.encode(ReportReply(status="stale")) if is_list else await server._heard(subject, payload)

    await shop.services.bus.subscribe(reports(worker.id), hear)
    former, following = await run_and_next(shop, worker, ann)

    said = await delivered_together(Reporter(worker.bus, worker.id), former, following)

    assert said == (ReportReply(status="ok"), ReportReply(status="ok"))
    assert await shop.state(following) is JobState.RUNNING


async def test_a_start_does_not_depend_on_whoever_took_it_along(
    shop: Workshop, worker: PlayedWorker, ann: User
) -> None:
    former, following = await run_and_next(shop, worker, ann)
    heard = asyncio.Event()
    server = FleetReports(shop.services)

    async def hear(subject: str, payload: bytes) -> bytes | None:
        if payload.startswith(b"["):
            heard.set()
            return None
        return await server._heard(subject, payload)

    await shop.services.bus.subscribe(reports(worker.id), hear)
    reporter = Reporter(worker.bus, worker.id)
    starting = asyncio.create_task(reporter.deliver(start(following), with_neighbor=True))
    await asyncio.sleep(0)
    ending = asyncio.create_task(reporter.deliver(end(former)))
    await heard.wait()
    ending.cancel()

    assert await starting == ReportReply(status="ok")


@pytest.mark.usefixtures("server")
async def test_more_reports_at_once_than_a_worker_can_have_are_none(
    shop: Workshop, worker: PlayedWorker, ann: User
) -> None:
    lease = await shop.assigned(await shop.submit(ann), worker)
    many = msgspec.json.encode([start(lease)] * 9)

    answer = await worker.bus.request(reports(worker.id), many, timeout=60)

    assert msgspec.json.decode(answer, type=ReportReply).status == "stale"
    assert await shop.state(lease) is JobState.ASSIGNED
