"""`GET /api/jobs`: in which order jobs come, and in which pages."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.server.v1.house import Caller, House

from fireside.domain.errors import BadRequest
from fireside.domain.listing import JobSort
from fireside.server.v1.jobs_query import window_of
from fireside.wire.v1_jobs import JobsQuery

NOT_NUMBERS = ("abc", "1.5", "", "1,2", " 5", "0x1", "NaN", "null", "true", "1\0", "٣")

ODD_QUERIES = ("limit=%", "limit=%ff", "status=%zz", "offset=%00", "workflow_id=%ed%a0%80", "&&==&", "limit=1&limit=1")


async def _times(ann: Caller, **params: str) -> list[int]:
    jobs = (await ann.get("/api/jobs", **params))["jobs"]
    return [job.get("execution_end_time", 0) - job.get("execution_start_time", 0) for job in jobs]


@pytest.mark.statement(24, 27)
async def test_jobs_come_by_create_time_in_either_direction(ann: Caller, house: House) -> None:
    ids = [await ann.submit() for _ in range(3)]
    await house.succeed(ids[1])

    assert await ann.listed(sort_by="create_time", sort_order="asc") == ids
    assert await ann.listed(sort_by="create_time", sort_order="desc") == ids[::-1]
    assert await ann.listed(sort_by="created_at", sort_order="ASC") == ids
    assert await ann.listed() == ids[::-1]


@pytest.mark.statement(25, 26, 27)
async def test_jobs_come_by_how_long_they_ran_and_those_that_have_not_as_if_zero(ann: Caller, house: House) -> None:
    short, long, waiting, running, canceled = [await ann.submit() for _ in range(5)]
    await house.start(long)
    await house.succeed(short)
    await house.end(long, "succeeded")
    await house.start(running)
    await ann.http.post(f"/api/jobs/{canceled}/cancel")

    ascending = await ann.listed(sort_by="execution_time", sort_order="asc")

    assert ascending == [waiting, running, canceled, short, long]
    assert await ann.listed(sort_by="execution_time") == ascending[::-1]
    assert await ann.listed(sort_by="Execution_Duration", sort_order="asc") == ascending


@pytest.mark.statement(25)
async def test_the_times_that_are_shown_are_in_the_order_they_are_listed_in(ann: Caller, house: House) -> None:
    for _ in range(30):
        await house.succeed(await ann.submit(), {})

    ascending = await _times(ann, sort_by="execution_time", sort_order="asc")
    descending = await _times(ann, sort_by="execution_time", sort_order="desc")

    assert ascending == sorted(ascending)
    assert descending == ascending[::-1]


@pytest.mark.statement(29, 30)
@pytest.mark.parametrize("sort_by", ["create_time", "execution_time"])
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
async def test_pages_of_one_visit_every_job_once(ann: Caller, sort_by: str, sort_order: str) -> None:
    ids = {await ann.submit() for _ in range(5)}

    pages = [await ann.listed(sort_by=sort_by, sort_order=sort_order, limit=1, offset=n) for n in range(6)]

    assert [len(page) for page in pages] == [1, 1, 1, 1, 1, 0]
    assert {job_id for page in pages for job_id in page} == ids


@pytest.mark.statement(30, 33)
async def test_a_page_says_which_it_is_and_whether_more_jobs_follow(ann: Caller) -> None:
    for _ in range(3):
        await ann.submit()

    first = (await ann.get("/api/jobs", limit=1))["pagination"]
    assert first == {"offset": 0, "limit": 1, "total": 3, "has_more": True, "next_cursor": first["next_cursor"]}
    last = (await ann.get("/api/jobs", limit=2, offset=1))["pagination"]
    assert last == {"offset": 1, "limit": 2, "total": 3, "has_more": False}


@pytest.mark.statement(34)
async def test_the_total_counts_what_matches_and_not_the_page(ann: Caller, house: House) -> None:
    for _ in range(2):
        await house.succeed(await ann.submit(workflow_id="w"))
    await ann.submit(workflow_id="w")
    await ann.submit()

    for params, total in (({}, 4), ({"workflow_id": "w"}, 3), ({"workflow_id": "w", "status": "completed"}, 2)):
        assert (await ann.get("/api/jobs", limit=1, **params))["pagination"]["total"] == total


@pytest.mark.statement(33, 35)
@pytest.mark.parametrize("offset", [3, 1000, 2**31, 2**62, 2**63 - 1])
@pytest.mark.parametrize("params", [{}, {"status": "pending"}, {"workflow_id": "w", "sort_by": "execution_time"}])
async def test_beyond_the_end_there_is_an_empty_page_with_the_same_total(
    ann: Caller, offset: int, params: dict[str, str]
) -> None:
    for _ in range(3):
        await ann.submit(workflow_id="w")

    body = await ann.get("/api/jobs", offset=offset, limit=1000, **params)

    assert body == {"jobs": [], "pagination": {"offset": offset, "limit": 1000, "total": 3, "has_more": False}}


@pytest.mark.statement(31)
async def test_a_limit_is_from_one_to_a_thousand(ann: Caller) -> None:
    for limit in (1, 1000):
        assert (await ann.get("/api/jobs", limit=limit))["pagination"]["limit"] == limit
    for limit in (0, -1, 1001, 2**63, -(2**63) - 1, 10**30):
        answer = await ann.http.get("/api/jobs", params={"limit": limit})
        assert answer.status_code == 400
        assert str(limit) in answer.json()["message"]


@pytest.mark.statement(32)
async def test_an_offset_is_from_zero_to_what_a_database_can_count(ann: Caller) -> None:
    for offset in (-1, 2**63, 10**30):
        answer = await ann.http.get("/api/jobs", params={"offset": offset})
        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "error"}
        assert f"offset cannot be '{offset}'" in answer.json()["message"]


@pytest.mark.statement(31, 32)
@pytest.mark.parametrize("name", ["limit", "offset"])
async def test_what_is_no_whole_number_is_refused_by_name(ann: Caller, name: str) -> None:
    for text in NOT_NUMBERS:
        answer = await ann.http.get("/api/jobs", params=[(name, text), (name, "x")])
        assert answer.status_code == 400, text
        assert answer.json()["message"].startswith(f"{name} cannot be ")


async def test_a_query_of_odd_bytes_is_no_fault_of_ours(ann: Caller) -> None:
    for query in (
        "limit=%",
        "limit=%ff",
        "status=%zz",
        "offset=%00",
        "workflow_id=%ed%a0%80",
        "&&==&",
        "limit=1&limit=1",
    ):
        assert (await ann.http.get(f"/api/jobs?{query}")).status_code in (200, 400), query


@pytest.mark.parametrize(("name", "known"), [("sort_by", "create_time, execution_time"), ("sort_order", "asc, desc")])
def test_an_unknown_order_is_refused_with_its_name_and_all_that_are_known(name: str, known: str) -> None:
    with pytest.raises(BadRequest, match="'sideways'") as refused:
        window_of(msgspec.convert({name: "sideways"}, JobsQuery))

    assert known in refused.value.message
    assert refused.value.message.startswith(f"Invalid {name}")


@pytest.mark.statement(28)
async def test_an_unknown_order_is_a_bad_request(ann: Caller) -> None:
    for params in ({"sort_by": "name"}, {"sort_order": "up"}, {"sort_by": "create_time,create_time"}):
        assert (await ann.http.get("/api/jobs", params=params)).status_code == 400


def test_no_parameters_ask_for_the_newest_hundred() -> None:
    window = window_of(JobsQuery())

    assert (window.sort, window.descending, window.offset, window.limit) == (JobSort.CREATE_TIME, True, 0, 100)


@pytest.mark.statement(36, 37)
async def test_create_time_is_in_seconds_for_keys(ann: Caller) -> None:
    before = datetime.now(UTC)
    job_id = await ann.submit()

    entry, detail = await ann.entry(job_id), await ann.detail(job_id)

    assert 0 <= entry["create_time"] - int(before.timestamp()) <= 600
    assert detail["create_time"] == entry["create_time"]
    assert 0 <= detail["update_time"] - entry["create_time"] <= 600


@pytest.mark.statement(37)
async def test_create_time_is_in_milliseconds_for_a_browser_and_for_comfy_cli(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    session = await house.sign_in(ann.user)

    by_cli = (await ann.http.get("/api/jobs", headers={"Comfy-Usage-Source": "comfy-cli"})).json()["jobs"]
    by_browser = (await session.get("/api/jobs")).json()["jobs"]
    detail = (await session.get(f"/api/jobs/{job_id}")).json()

    assert by_cli == by_browser
    assert by_cli[0]["create_time"] // 1000 == (await ann.entry(job_id))["create_time"]
    assert detail["update_time"] >= detail["create_time"] == by_cli[0]["create_time"]


class TestWithAFixedUnit:
    @pytest.fixture(params=["seconds", "milliseconds"])
    def settings(self, request: pytest.FixtureRequest) -> dict[str, str]:
        return {"v1_time_unit": request.param}

    async def test_everybody_reads_create_time_in_it(self, ann: Caller, house: House, settings: dict[str, str]) -> None:
        job_id = await ann.submit()
        by_browser = (await (await house.sign_in(ann.user)).get("/api/jobs")).json()["jobs"]

        shown = (await ann.entry(job_id))["create_time"]

        assert by_browser[0]["create_time"] == shown
        factor = {"seconds": 1, "milliseconds": 1000}[settings["v1_time_unit"]]
        assert timedelta(0) <= datetime.now(UTC) - datetime.fromtimestamp(shown / factor, UTC) < timedelta(minutes=10)
