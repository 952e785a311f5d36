"""The pages of jobs in a real Chromium, beside a real server with one worker."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.server.pages.browsing import (
    DEADLINE_MS,
    PHONE,
    Place,
    node,
    open_place,
    slow,
    submit,
    texts,
    wait_until_ended,
)

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=DEADLINE_MS)
MORE_THAN_A_PAGE = 40
MAKES = {
    "1": node("EmptyImage", width=64, height=48, batch_size=2, color=0x2C5E8F),
    "2": node("SaveImage", images=["1", 0], filename_prefix="blue"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Any]:
    with make_server(tmp_path_factory.mktemp("pages") / "data") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: Any) -> AsyncIterator[Place]:
    async with open_place(server) as place:
        yield place


async def test_jobs_come_and_change_while_one_looks(place: Place) -> None:
    bob = place.user("bob")
    async with place.signed_in("bob") as visit:
        await visit.page.goto("/dashboard")
        await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()

        job_id = submit(bob, slow(600))
        card = visit.page.locator(f"#job-{job_id}")
        await expect(card.locator(".badge")).to_have_text("Running")
        await expect(card.locator("img")).to_be_visible()
        await expect(card.locator("progress")).to_be_visible()
        await expect(visit.page.locator("#total")).to_have_text("1")

        await card.get_by_role("button", name="Cancel").click()
        await expect(card.locator(".badge")).to_have_text("Canceled")

        await card.get_by_role("button", name="again").click()
        again = visit.page.locator(".job").first
        await expect(again.locator(".badge")).to_have_text("Running")
        await expect(visit.page.locator("#total")).to_have_text("2")
        await again.get_by_role("button", name="Cancel").click()
        await expect(again.locator(".badge")).to_have_text("Canceled")
        assert visit.complaints == []


async def test_a_page_of_a_job_goes_along_with_it_to_its_outputs(place: Place) -> None:
    cleo = place.user("cleo")
    async with place.signed_in("cleo") as visit:
        # Not before, or it may be over when the page is there.
        job_id = submit(cleo, slow(10))
        await visit.page.goto(f"/dashboard/jobs/{job_id}")
        await expect(visit.page.locator("#preview img")).to_be_visible()
        await expect(visit.page.locator("#status")).to_have_text("Done")
        await expect(visit.page.locator("#outputs img")).to_be_visible()
        await expect(visit.page.locator("#times")).to_contain_text("FiresideSleep")
        await expect(visit.page.get_by_text("Now", exact=True)).to_have_count(0)

        async with visit.page.expect_download() as downloading:
            await visit.page.get_by_role("link", name="Download all").click()
        assert (await downloading.value).suggested_filename == f"job-{job_id[:8]}.zip"

        visit.page.on("dialog", lambda dialog: dialog.accept())
        await visit.page.get_by_role("button", name="Delete").click()
        await expect(visit.page.get_by_text("No jobs yet")).to_be_visible()
        assert visit.complaints == []


async def test_the_list_goes_on_where_a_page_of_it_ends(place: Place) -> None:
    dora = place.user("dora")
    jobs = [submit(dora, texts(str(number))) for number in range(MORE_THAN_A_PAGE)]
    wait_until_ended(dora, jobs)
    async with place.signed_in("dora", width=PHONE) as visit:
        await visit.page.goto("/dashboard?sort_order=asc")
        await visit.page.locator("#more").scroll_into_view_if_needed()
        await expect(visit.page.locator(".job")).to_have_count(MORE_THAN_A_PAGE)
        await expect(visit.page.locator("#more")).to_have_count(0)
        shown = await visit.page.eval_on_selector_all(".job", "cards => cards.map(card => card.dataset.job)")
        assert shown == jobs
    async with place.signed_in("dora", with_scripts=False) as visit:
        await visit.page.goto("/dashboard?sort_order=asc")
        await visit.page.click("#more")
        await expect(visit.page.locator(".job")).to_have_count(MORE_THAN_A_PAGE - 36)
        await visit.page.locator(".job").last.get_by_role("button", name="again").click()
        await expect(visit.page.locator("h1")).to_be_visible()
        assert "/dashboard/jobs/" in visit.page.url


async def test_a_job_runs_again_with_its_labels_and_even_where_its_outputs_are_there(place: Place) -> None:
    emma = place.user("emma")
    first = emma.post("/api/v2/jobs", json={"workflow": MAKES, "metadata": {"shot": "7"}}).json()["id"]
    wait_until_ended(emma, [first])

    answer = emma.post(f"/dashboard/jobs/{first}/rerun")

    assert answer.status_code == 303, answer.text
    again = answer.headers["location"].rpartition("/")[2]
    wait_until_ended(emma, [again])
    told = emma.get(f"/api/v2/jobs/{again}").json()
    assert (told["status"], told["metadata"], len(told["outputs"])) == ("succeeded", {"shot": "7"}, 2)
    assert told["started_at"] is not None
    assert emma.get(f"/api/v2/jobs/{again}/workflow").json()["workflow"] == MAKES
