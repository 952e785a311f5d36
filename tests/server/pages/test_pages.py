"""The plain pages, as a browser meets them: over the whole edge, with real accounts and a real store."""

import html
import re
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from tests.databases import Databases
from tests.server.pages.site import ORIGIN, Site

from fireside.app import assemble, utc_now
from fireside.domain.accounts import User
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.outputs import Media, OutputSummary
from fireside.server.edge import build_edge
from fireside.server.pages.jobs import JOBS_PER_PAGE
from fireside.store.records import Ending


async def _ended(site: Site, user: User, verb: Verb, ending: Ending) -> Job:
    store = site.services.store
    job = await site.job(user)
    job = await store.change_job(job, advance(job, Verb.ASSIGN, utc_now(), worker_id=WorkerId("w1")))
    job = await store.change_job(job, advance(job, Verb.START, utc_now(), lease=job.lease))
    return await store.change_job(job, advance(job, verb, utc_now(), lease=job.lease), ending=ending)


async def test_a_stranger_is_sent_to_the_page_that_explains_signing_in(site: Site) -> None:
    answer = await site.browser.get("/dashboard")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/dashboard")

    page = await site.browser.get("/login")
    assert page.status_code == 200
    assert "fireside login-link" in page.text


async def test_looking_at_a_link_does_not_use_it_up(site: Site) -> None:
    link = f"/login/{await site.services.accounts.login_link(await site.user())}"
    for _ in range(3):
        assert (await site.browser.get(link)).status_code == 200
    await site.browser.head(link)

    assert (await site.browser.post(link)).status_code == 303
    assert (await site.browser.get("/dashboard")).status_code == 200


async def test_a_link_works_once(site: Site) -> None:
    link = f"/login/{await site.services.accounts.login_link(await site.user())}"
    await site.browser.post(link)
    site.browser.cookies.clear()

    again = await site.browser.post(link)

    assert again.status_code == 410
    assert "set-cookie" not in again.headers
    assert "does not work" in again.text


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    link = f"/login/{await site.services.accounts.login_link(await site.user())}"

    cookie = (await site.browser.post(link)).headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "; secure" not in cookie


async def test_the_cookie_is_for_https_alone_where_there_is_https(databases: Databases, tmp_path: Path) -> None:
    origin = "https://fireside.test"
    async with assemble(databases.config(tmp_path / "data"), public_url=origin) as assembly:
        accounts = assembly.services.accounts
        link = f"/login/{await accounts.login_link(await accounts.first_admin())}"
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=origin, headers={"Origin": origin}) as browser:
            assert "; secure" in (await browser.post(link)).headers["set-cookie"].lower()


@pytest.mark.parametrize("pasted", ["{token}", "http://elsewhere:1/login/{token}", " /login/{token}/ \n"])
async def test_a_link_can_be_pasted_whole_or_in_part(site: Site, pasted: str) -> None:
    token = await site.services.accounts.login_link(await site.user())

    answer = await site.browser.post("/login", data={"token": pasted.format(token=token)})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("body", [b"token=", b"token=x", b"token=%00", b"token=%ff"])
async def test_an_odd_form_signs_nobody_in(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.browser.post("/login", content=body, headers=headers)

    assert answer.status_code == 410
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"name=ada", b"password=x", b"name=&password="])
async def test_a_form_without_name_and_password_is_told_so(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.browser.post("/login", content=body, headers=headers)

    assert answer.status_code == 400
    assert "Give a name and a password." in answer.text


async def test_a_form_is_not_read_without_end(site: Site) -> None:
    assert (await site.browser.post("/login", content=b"token=" + b"x" * 100_000)).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_can_neither_sign_a_browser_in_nor_out(site: Site, headers: dict[str, str]) -> None:
    link = f"/login/{await site.services.accounts.login_link(await site.user('bob'))}"
    site.browser.headers.pop("Sec-Fetch-Site")
    assert (await site.browser.post(link, headers=headers)).status_code == 403

    await site.sign_in()
    assert (await site.browser.post("/logout", headers=headers)).status_code == 403
    assert (await site.browser.get("/dashboard")).status_code == 200


async def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    await site.sign_in()
    cookies = dict(site.browser.cookies)

    answer = await site.browser.post("/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?signed-out")
    site.browser.cookies.update(cookies)
    assert (await site.browser.get("/dashboard")).status_code == 303


async def test_the_page_lists_ones_own_jobs_only(site: Site) -> None:
    theirs = await site.job(await site.user("bob"))
    mine = await site.job(await site.sign_in("ada"))

    page = (await site.browser.get("/dashboard")).text

    assert str(mine.id) in page
    assert str(theirs.id) not in page
    assert "bob" not in page


async def test_what_jobs_say_cannot_become_markup(site: Site) -> None:
    user = await site.sign_in()
    evil = '"><script>alert(1)</script>'
    preview = {"filename": f"{evil}.png", "subfolder": evil, "type": "output", "mediaType": "images", "nodeId": "1"}
    summary = OutputSummary(preview=preview, outputs_count=1, previewable_count=1, media=Media.IMAGE)
    error = msgspec.json.encode({"node_type": evil, "exception_message": evil})
    await _ended(site, user, Verb.SUCCEED, Ending(summary=summary))
    await _ended(site, user, Verb.FAIL, Ending(error=error))

    page = (await site.browser.get("/dashboard")).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert re.search(r'<img src="/api/view\?filename=%22%3E%3Cscript', page)


async def test_every_page_forbids_scripts_of_its_own_frames_and_sniffing(site: Site) -> None:
    await site.sign_in()
    for path in ("/dashboard", "/login/x", "/dashboard?sort_order=asc", "/account"):
        answer = await site.browser.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert all(script.startswith(' src="/pages/') for script in re.findall("<script([^>]*)", answer.text))
        assert not re.search(r"\s(style|on\w+)=", answer.text)


@pytest.mark.parametrize("order", ["sort_order=desc", "sort_order=asc", "sort_by=execution_time"])
async def test_many_jobs_come_in_pages(site: Site, order: str) -> None:
    user = await site.sign_in()
    jobs = {str((await site.job(user)).id) for _ in range(JOBS_PER_PAGE + 1)}

    first = (await site.browser.get(f"/dashboard?{order}")).text
    more = _more(first)
    assert more is not None
    second = (await site.browser.get(more)).text

    assert (len(_listed(first)), len(_listed(second))) == (JOBS_PER_PAGE, 1)
    assert {*_listed(first), *_listed(second)} == jobs
    assert _more(second) is None
    assert f'id="total">{len(jobs)}<' in first


async def test_the_filters_of_the_api_are_those_of_the_page(site: Site) -> None:
    user = await site.sign_in()
    waits = await site.job(user)
    failed = await _ended(site, user, Verb.FAIL, Ending(error=b"{}"))

    for query, ids in {
        "": [failed.id, waits.id],
        "sort_order=asc": [waits.id, failed.id],
        "status=pending": [waits.id],
        "status=in_progress,failed": [failed.id],
        "status=&output_type=image&workflow_id=": [],
        "workflow_id=x": [],
    }.items():
        page = (await site.browser.get(f"/dashboard?{query}")).text
        assert _listed(page) == [str(job_id) for job_id in ids], query


async def test_the_page_says_what_is_chosen_and_goes_on_with_it(site: Site) -> None:
    user = await site.sign_in()
    for _ in range(JOBS_PER_PAGE + 1):
        await site.job(user)

    page = (await site.browser.get("/dashboard?status=pending&sort_order=asc&limit=1&offset=0")).text

    assert re.search(r'<option value="pending" selected', page)
    assert re.search(r'<option value="asc" selected', page)
    more = _more(page)
    assert more is not None
    assert more.startswith("/dashboard?status=pending&sort_order=asc&after=")


@pytest.mark.parametrize("query", ["status=x", "sort_by=x", "after=x", "offset=-1", "offset=x", "output_type=%22%3E"])
async def test_an_odd_filter_is_a_page_that_says_so(site: Site, query: str) -> None:
    await site.sign_in()

    answer = await site.browser.get(f"/dashboard?{query}")

    assert answer.status_code == 400
    assert "Back to your jobs" in answer.text


async def test_cards_are_renewed_by_their_ids(site: Site) -> None:
    theirs = await site.job(await site.user("bob"))
    user = await site.sign_in()
    mine, _ = await site.job(user), await site.job(user)

    answer = await site.browser.get("/dashboard/cards", params={"id": [str(theirs.id), "x", str(mine.id)]})

    assert _listed(answer.text) == [str(mine.id)]


async def test_a_page_names_files_that_a_browser_may_keep(site: Site) -> None:
    (address,) = re.findall(r'"(/pages/[^"]+)"', (await site.browser.get("/login")).text)

    answer = await site.browser.get(address)

    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert "prefers-color-scheme: dark" in answer.text


async def test_a_file_of_the_pages_that_may_be_outdated_is_asked_for_again(site: Site) -> None:
    former = await site.browser.get("/pages/pages.css?v=0123456789abcdef")
    assert former.headers["cache-control"] == "no-cache"

    known = await site.browser.get("/pages/pages.css", headers={"If-None-Match": former.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize("name", ["x.css", "pages.py", "..%2fshell.py", "pages.css%00"])
async def test_there_are_no_other_files_of_the_pages(site: Site, name: str) -> None:
    assert (await site.browser.get(f"/pages/{name}")).status_code == 404


async def test_who_is_sent_to_sign_in_comes_back_to_the_very_page(site: Site) -> None:
    answer = await site.browser.get("/dashboard?page=2&x=%26")

    assert answer.headers["location"] == "/login?next=/dashboard%3Fpage%3D2%26x%3D%2526"


def _listed(page: str) -> list[str]:
    found = re.findall(r'data-job="([0-9a-f-]+)"', page)
    assert all(UUID(job_id) for job_id in found)
    return found


def _more(page: str) -> str | None:
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else None
