"""The pages of jobs in a real Chromium, beside a real server with one worker."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.server.pages.browsing import (
    DEADLINE_MS,
    DESK,
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
SCRIPT = "<script>window.ran=1</script><img src=x onerror='window.ran=1'>"
MORE_THAN_A_PAGE = 40
FAILS = {
    "1": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
    "2": node("FiresideFail", image=["1", 0], message="out of memory", how="raise"),
    "3": node("SaveImage", images=["2", 0], filename_prefix="x"),
}
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


@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
async def test_everybody_can_use_every_page(place: Place, width: int, scheme: Any) -> None:
    name = f"ada-{width}"
    ada = place.user(name)
    failed, made, wrote = submit(ada, FAILS), submit(ada, MAKES), submit(ada, texts("a calm sea"))
    wait_until_ended(ada, [failed, made, wrote])
    runs, waits = submit(ada, slow(600)), submit(ada, slow(600))
    jobs = {"failed": failed, "made": made, "wrote": wrote, "runs": runs, "waits": waits}
    pages = {
        "jobs": "/dashboard",
        "jobs-none": "/dashboard?status=cancelled&output_type=video",
        "account": "/account",
        **{f"job-{word}": f"/dashboard/jobs/{job_id}" for word, job_id in jobs.items()},
    }

    async with place.signed_in(name, width=width, scheme=scheme) as visit:
        for word, address in pages.items():
            await visit.page.goto(address)
            await expect(visit.page.locator("h1")).to_be_visible()
            await visit.keep_picture(f"{word}-{width}")
            assert await visit.overflow() <= 0, word
            assert await visit.faults() == [], word
        assert visit.complaints == []
        await visit.page.goto("/dashboard?status=nonsense")
        assert await visit.faults() == []
    ada.post("/api/jobs/cancel", json={"job_ids": [runs, waits]}).raise_for_status()


async def test_no_script_of_a_user_runs_on_any_page(place: Place) -> None:
    eve = place.user("eve")
    everywhere = {"client_id": SCRIPT, "workflow_id": SCRIPT, "extra_data": {SCRIPT: SCRIPT}}
    fails = {**FAILS, SCRIPT: node("FiresideFail", image=["1", 0], message=SCRIPT, how="raise")}
    fails["3"] = node("SaveImage", images=[SCRIPT, 0], filename_prefix="x")
    jobs = [
        submit(eve, fails, **everywhere),
        submit(eve, texts(SCRIPT), **everywhere),
        submit(eve, MAKES, **everywhere),
    ]
    labeled = {"workflow": {"1": node("PrimitiveString", value=SCRIPT), SCRIPT: node("PreviewAny", source=["1", 0])}}
    answer = eve.post("/api/v2/jobs", json={**labeled, "metadata": {"note": SCRIPT}})
    assert answer.status_code == 201, answer.text
    jobs.append(answer.json()["id"])
    wait_until_ended(eve, jobs)

    async with place.signed_in("eve") as visit:
        pages = ["/dashboard", "/dashboard?status=failed", *(f"/dashboard/jobs/{job_id}" for job_id in jobs)]
        for address in pages:
            await visit.page.goto(address)
            await visit.page.wait_for_load_state("networkidle")
            assert SCRIPT in (await visit.page.locator("main").text_content() or ""), address
            assert await visit.page.evaluate("window.ran") is None, address
        await visit.page.goto(f"/dashboard?workflow_id={SCRIPT}")
        await expect(visit.page.locator("#workflow_id")).to_have_value(SCRIPT)
        assert await visit.page.locator(".job").count() == 3
        assert await visit.page.evaluate("window.ran") is None
        # Nothing had to be stopped by the policy: it never was markup.
        assert visit.complaints == []


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
