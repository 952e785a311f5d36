"""The page of the fleet: what an admin sees of workers and of their history, and what they can do there."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.publishing import publish
from tests.server.pages.site import Site

from fireside.app import utc_now
from fireside.domain.ids import WorkerId
from fireside.domain.lifecycle import Verb, advance
from fireside.server.pages.fleet import history_of, memory_of
from fireside.store.usage_verbs import FleetSample

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
PATH = "/dashboard/fleet"
TOKENS = "/dashboard/worker-tokens"
SCRIPT = "<script>alert(1)</script>"


async def test_strangers_sign_in_first_and_members_see_nothing_of_the_fleet(site: Site) -> None:
    assert (await site.browser.get(PATH)).headers["location"] == f"/login?next={PATH}"
    await publish(site.services.store)
    await site.sign_in()

    page = await site.browser.get(PATH)

    assert page.status_code == 403
    assert "worker-1" not in page.text
    for change in ("drain", "resume", "remove"):
        assert (await site.browser.post(f"{PATH}/worker-1/{change}")).status_code == 403
    assert (await site.browser.post(TOKENS, data={"label": "mine"})).status_code == 403
    assert not await site.services.store.drained_workers()
    assert await site.services.store.worker(WorkerId("worker-1"))
    assert not await site.services.enrollments.tokens()
    assert PATH not in (await site.browser.get("/dashboard")).text


async def test_an_admin_sees_each_worker_and_whose_job_it_has(site: Site) -> None:
    store = site.services.store
    await publish(store, runtime=f"comfy{SCRIPT}", labels={"site": SCRIPT})
    ada = await site.user()
    job = await site.job(ada)
    await store.change_job(job, advance(job, Verb.ASSIGN, utc_now(), worker_id=WorkerId("worker-1")))
    await site.sign_in_as_admin()

    page = (await site.browser.get(PATH)).text

    assert "worker-1" in page
    assert "Away" in page
    assert f'<strong>ada</strong> <a class="id" href="/dashboard/jobs/{job.id}" ' in page
    assert f"comfy{SCRIPT}" not in page
    assert "comfy&lt;script&gt;" in page


async def test_a_worker_can_be_drained_and_resumed(site: Site) -> None:
    store = site.services.store
    await publish(store)
    await site.sign_in_as_admin()

    answer = await site.browser.post(f"{PATH}/worker-1/drain")
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    assert await store.drained_workers() == {WorkerId("worker-1")}
    assert f"{PATH}/worker-1/resume" in (await site.browser.get(PATH)).text

    await site.browser.post(f"{PATH}/worker-1/resume")
    assert not await store.drained_workers()
    assert (await site.browser.post(f"{PATH}/worker-9/drain")).status_code == 404


async def test_a_worker_is_removed(site: Site) -> None:
    store = site.services.store
    await publish(store)
    await publish(store, worker="worker-2")
    await site.sign_in_as_admin()
    assert f"{PATH}/worker-1/remove" in (await site.browser.get(PATH)).text

    answer = await site.browser.post(f"{PATH}/worker-1/remove")

    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    page = (await site.browser.get(PATH)).text
    assert "worker-1" not in page
    assert "worker-2" in page
    assert (await site.browser.post(f"{PATH}/worker-1/remove")).status_code == 404


async def test_a_token_is_made_shown_once_and_revoked(site: Site) -> None:
    await site.sign_in_as_admin()

    made = await site.browser.post(TOKENS, data={"label": SCRIPT, "hours": "2", "reusable": "on"})

    (secret,) = re.findall(r"FIRESIDE_WORKER_TOKEN=(\S+) fireside worker --server http://fireside.test", made.text)
    found = await site.services.enrollments.token(secret)
    assert found is not None
    assert (found.label, found.is_reusable) == (SCRIPT, True)
    assert found.expires_at == found.created_at + timedelta(hours=2)
    page = (await site.browser.get(PATH)).text
    assert secret not in page
    assert SCRIPT not in page
    assert found.prefix in page
    answer = await site.browser.post(f"{TOKENS}/{found.id}/revoke")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}#tokens")
    assert found.prefix not in (await site.browser.get(PATH)).text
    for other in ("x", "9" * 30, str(found.id + 1)):
        assert (await site.browser.post(f"{TOKENS}/{other}/revoke")).status_code == 404


async def test_a_token_without_hours_has_no_end(site: Site) -> None:
    await site.sign_in_as_admin()

    await site.browser.post(TOKENS, data={"label": "", "hours": " "})

    (token,) = await site.services.enrollments.tokens()
    assert (token.expires_at, token.is_reusable) == (None, False)


@pytest.mark.parametrize(
    "form", [{"hours": "0"}, {"hours": "-1"}, {"hours": "inf"}, {"hours": "9" * 20}, {"hours": SCRIPT}]
)
async def test_a_token_that_cannot_be_is_told(site: Site, form: dict[str, str]) -> None:
    await site.sign_in_as_admin()

    answer = await site.browser.post(TOKENS, data=form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert SCRIPT not in answer.text
    assert not await site.services.enrollments.tokens()


def test_one_worker_and_one_job_are_one() -> None:
    history = history_of([FleetSample(at=NOON, workers=1, busy=1, waiting=1)], NOON, MINUTES, 1)

    assert history.summary.startswith("At most 1 worker, 1 of them busy at once, and 1 job waiting.")


async def test_another_site_drains_nothing(site: Site) -> None:
    await publish(site.services.store)
    await site.sign_in_as_admin()

    answer = await site.browser.post(f"{PATH}/worker-1/drain", headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403
    assert not await site.services.store.drained_workers()


@pytest.mark.parametrize("span", ["", "day", "week", "month", "nonsense"])
async def test_the_history_is_drawn_and_said(site: Site, span: str) -> None:
    now = utc_now()
    await site.services.store.sample_fleet(now, workers=4, busy=3, forget_before=now - timedelta(days=1))
    await site.sign_in_as_admin()

    page = (await site.browser.get(PATH, params={"span": span})).text

    assert "At most 4 workers, 3 of them busy at once, and 0 jobs waiting. Of their time 75 % was used." in page
    assert page.count('role="img"') == 2


async def test_a_fleet_without_workers_and_history_says_so(site: Site) -> None:
    await site.sign_in_as_admin()

    page = (await site.browser.get(PATH)).text

    assert "No worker has come yet" in page
    assert "Nothing is known of this time." in page


def test_a_history_keeps_the_most_of_each_part_and_leaves_gaps() -> None:
    samples = [
        FleetSample(at=NOON, workers=2, busy=1, waiting=0),
        FleetSample(at=NOON + MINUTES, workers=4, busy=0, waiting=7),
        FleetSample(at=NOON + 6 * MINUTES, workers=1, busy=1, waiting=0),
    ]

    history = history_of(samples, NOON, 2 * MINUTES, 4)

    assert history.scale.top == 4
    assert history.workers == "M0.0 100V0.0H250.0V100ZM750.0 100V75.0H1000.0V100Z"
    assert history.waiting_scale.words == ("8", "4", "0")


@pytest.mark.parametrize(
    "device",
    [
        {},
        {"vram_total": "much", "vram_free": 1},
        {"vram_total": 0, "vram_free": 0},
        {"vram_total": 10, "vram_free": 11},
        {"vram_total": 10, "vram_free": -1},
        {"vram_total": 10},
    ],
)
def test_memory_that_makes_no_sense_is_not_shown(device: dict[str, Any]) -> None:
    assert memory_of([device, {"name": "cuda:0", "vram_total": 8, "vram_free": 6}])[0].used == 25.0
