"""The page of what was used: one's own, and for admins everybody's, over days of one's choice."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.databases import Databases
from tests.publishing import publish
from tests.server.v1.house import ORIGIN, Caller, House

from fireside.app import assemble
from fireside.domain.accounts import Role
from fireside.domain.usage import Usage
from fireside.server.pages.charts import scale_of
from fireside.server.pages.usage import gpu_time, gpu_unit

PATH = "/dashboard/usage"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    config = databases.config(tmp_path / "data")
    async with assemble(config, public_url=ORIGIN) as assembly, AsyncExitStack() as doors:
        await publish(assembly.services.store)
        yield House(services=assembly.services, doors=doors, contract=None)


async def _ann(house: House) -> tuple[Caller, httpx.AsyncClient]:
    """A user who has run a job of a workflow by a key, and their browser."""
    ann = await house.caller("ann", quota_jobs=4, quota_gpu_seconds=60)
    await house.services.accounts.create_key(ann.user, "unused")
    await house.succeed(await ann.submit(workflow_id=f"w{SCRIPT}"))
    return ann, await house.sign_in(ann.user)


async def test_a_user_sees_what_they_have_used_and_what_is_left(house: House) -> None:
    _, browser = await _ann(house)

    page = (await browser.get(PATH)).text

    assert "Jobs that ended</dt><dd>1<" in page
    assert "1 of 4" in page
    assert "GPU time this month" in page
    assert "By key" in page
    assert re.search("GPU-(hours|minutes|seconds|milliseconds) by day", page)
    assert f"w{SCRIPT}" not in page
    assert "w&lt;script&gt;" in page
    assert 'href="/api/usage.csv?from=' in page
    assert "Everybody" not in page


async def test_a_member_sees_nothing_of_others_not_even_whether_they_exist(house: House) -> None:
    await _ann(house)
    bob = await house.sign_in((await house.caller("bob")).user)

    for asked in ("ann", "nobody", "*"):
        page = await bob.get(PATH, params={"user": asked})
        assert page.status_code == 404
        assert "here is no user" in page.text
    assert "Nothing was used in these days" in (await bob.get(PATH)).text


async def test_an_admin_sees_everybody_or_one_user_and_gets_the_same_as_csv(house: House) -> None:
    await _ann(house)
    root = await house.sign_in((await house.caller("root", role=Role.ADMIN)).user)

    everybody = (await root.get(PATH, params={"user": "*"})).text
    one = (await root.get(PATH, params={"user": "ann"})).text

    assert "Usage of everybody" in everybody
    assert "By user" in everybody
    assert 'class="whose">ann<' in everybody
    assert "Usage of ann" in one
    assert (await root.get(PATH, params={"user": "nobody"})).status_code == 404
    address = one.split('href="/admin/api/usage.csv', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    table = await root.get(f"/admin/api/usage.csv{address}")
    assert table.text.splitlines()[1].split(",")[1] == "ann"


@pytest.mark.parametrize("days", [0, 30, 99, 100, 300, 371, 3000])
async def test_a_long_time_is_drawn_in_weeks_and_months(house: House, days: int) -> None:
    _, browser = await _ann(house)
    today = house.services.clock().date()

    page = (await browser.get(PATH, params={"from": str(today - timedelta(days=days)), "to": str(today)})).text

    unit = "day" if days < 100 else "week" if days < 371 else "month"
    assert f"Jobs by {unit}" in page
    assert 0 < page.count('class="bar"') <= 2 * 101


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"from": "1900-01-01", "to": "2026-02-01"},
    ],
)
async def test_days_that_make_no_sense_are_refused_with_a_page(house: House, query: dict[str, str]) -> None:
    browser = await house.sign_in((await house.caller("ann")).user)

    answer = await browser.get(PATH, params=query)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


async def test_strangers_sign_in_first_and_come_back_to_the_same_days(house: House) -> None:
    browser = await house.client({})

    answer = await browser.get(PATH, params={"from": "2026-01-01"})

    assert answer.headers["location"] == f"/login?next={PATH}%3Ffrom%3D2026-01-01"


async def test_a_quota_of_nothing_is_full(house: House) -> None:
    ann, browser = await _ann(house)
    await house.services.accounts.change_user(replace(ann.user, quota_jobs=1, quota_gpu_seconds=0.0))

    page = (await browser.get(PATH)).text

    assert "1 of 1" in page
    assert 'width="100.0"' in page
    assert "GPU time this month" not in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.02, "20 ms"), (5, "5.0 s"), (90, "1.5 min"), (7200, "2.0 h"), (36_000_000, "10,000.0 h")],
)
def test_gpu_time_is_said_in_words(seconds: float, words: str) -> None:
    assert gpu_time(Usage(gpu_us=int(seconds * 1_000_000))) == words


@pytest.mark.parametrize(
    ("most", "unit"),
    [(0, "milliseconds"), (0.3, "milliseconds"), (1, "seconds"), (90, "minutes"), (3600, "hours"), (1e9, "hours")],
)
def test_a_scale_of_gpu_time_has_numbers_that_people_read(most: float, unit: str) -> None:
    assert gpu_unit(most)[0] == unit
    assert "e" not in scale_of([most / gpu_unit(most)[1]]).words[1]
