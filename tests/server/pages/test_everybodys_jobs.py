"""Everybody's jobs, and those of a chosen person, for admins: read, paged, canceled; and nothing of it for others."""

import re

import pytest
from tests.server.pages.site import Site

from fireside.domain.accounts import User
from fireside.domain.jobs import JobState
from fireside.server.pages.everybodys_jobs import read_place
from fireside.server.pages.jobs import JOBS_PER_PAGE

EVERYBODY = "/dashboard/everybody"


def _shown(page: str) -> list[str]:
    return re.findall(r'data-job="([0-9a-f-]{36})"', page)


async def _two_with_jobs(site: Site, count: int) -> tuple[User, User, list[str]]:
    """Two users and jobs of them by turns; the ids are the newest first."""
    ada, bob = await site.user("ada"), await site.user("bob")
    jobs = [await site.job((ada, bob)[number % 2]) for number in range(count)]
    return ada, bob, [str(job.id) for job in reversed(jobs)]


async def test_everybodys_jobs_come_newest_first_with_their_owners(site: Site) -> None:
    _, _, ids = await _two_with_jobs(site, 4)
    await site.sign_in_as_admin()

    page = await site.browser.get(EVERYBODY)

    assert page.status_code == 200
    assert _shown(page.text) == ids
    owners = re.findall(r'href="/dashboard\?user=(\w+)">\1<', page.text)
    assert owners == ["bob", "ada", "bob", "ada"]
    assert 'id="total">4<' in page.text
    assert "/rerun" not in page.text
    assert page.text.count("/cancel") == 4


async def test_pages_neither_repeat_nor_leave_out_a_job(site: Site) -> None:
    ada, _, ids = await _two_with_jobs(site, JOBS_PER_PAGE + 3)
    await site.sign_in_as_admin()

    first = (await site.browser.get(EVERYBODY)).text
    await site.job(ada)
    (more,) = re.findall(rf'id="more" rel="next" href="({EVERYBODY}\?after=[0-9-]+)"', first)
    second = (await site.browser.get(more)).text

    assert _shown(first) + _shown(second) == ids
    assert 'id="more"' not in second


async def test_a_persons_jobs_are_filtered_paged_and_canceled_by_an_admin(site: Site) -> None:
    _, bob, ids = await _two_with_jobs(site, 2 * JOBS_PER_PAGE + 2)
    await site.sign_in_as_admin()

    page = (await site.browser.get("/dashboard", params={"user": "bob", "status": "pending"})).text

    assert "Jobs of bob" in page
    assert _shown(page) == ids[::2][:JOBS_PER_PAGE]
    assert 'name="user" value="bob"' in page
    (more,) = re.findall(r'id="more" rel="next" href="([^"]+)"', page)
    rest = (await site.browser.get(more.replace("&amp;", "&"))).text
    assert _shown(rest) == ids[::2][JOBS_PER_PAGE:]
    canceled = await site.browser.post(f"/dashboard/jobs/{ids[0]}/cancel")
    assert canceled.status_code == 303
    (job,) = (await site.services.store.newest_jobs_of_all(None, limit=1)).jobs
    assert (job.user_id, job.state) == (bob.id, JobState.CANCELED)


async def test_members_see_their_own_jobs_alone(site: Site) -> None:
    _, _, ids = await _two_with_jobs(site, 2)
    await site.sign_in("eve")

    assert (await site.browser.get(EVERYBODY)).status_code == 403
    for name in ("ada", "nobody"):
        page = await site.browser.get("/dashboard", params={"user": name})
        assert (page.status_code, "here is no user" in page.text) == (404, True)
    cards = (await site.browser.get("/dashboard/cards", params={"id": ids, "owners": ""})).text
    assert _shown(cards) == []
    assert (await site.browser.get(f"/dashboard/jobs/{ids[0]}/picture")).status_code == 404
    assert EVERYBODY not in (await site.browser.get("/dashboard")).text


async def test_cards_of_others_are_renewed_for_an_admin(site: Site) -> None:
    _, _, ids = await _two_with_jobs(site, 2)
    await site.sign_in_as_admin()

    cards = (await site.browser.get("/dashboard/cards", params={"id": ids, "owners": ""})).text

    assert _shown(cards) == ids
    assert ">ada<" in cards


async def test_a_job_without_a_picture_has_none(site: Site) -> None:
    _, _, ids = await _two_with_jobs(site, 1)
    await site.sign_in_as_admin()

    assert (await site.browser.get(f"/dashboard/jobs/{ids[0]}/picture")).status_code == 404


async def test_an_empty_list_says_so(site: Site) -> None:
    await site.sign_in_as_admin()

    assert "Nobody has queued anything that is kept." in (await site.browser.get(EVERYBODY)).text


@pytest.mark.parametrize("after", ["x", "1", "1-", "-1-2", "1-99999999999999999999", "1-9999999999999999999", "²-1"])
async def test_a_cursor_that_no_page_wrote_is_refused(site: Site, after: str) -> None:
    await site.sign_in_as_admin()

    assert (await site.browser.get(EVERYBODY, params={"after": after})).status_code == 400


def test_no_cursor_is_the_beginning() -> None:
    assert read_place("") is None
