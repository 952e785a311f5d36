"""The page of one job, as a browser meets it: over the whole edge, with real accounts, a real store and real blobs."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
from tests.databases import Databases
from tests.server.v1.files.house import ORIGIN, House, open_house

from fireside.accounts.accounts import NewUser
from fireside.accounts.tokens import SESSION_COOKIE
from fireside.domain.accounts import Role
from fireside.domain.assets import Asset
from fireside.domain.ids import JobId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.store.records import Ending, JobBody, NewJob

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as doors:
        yield await open_house(databases.config(tmp_path / "data"), doors, None)


async def _queued(house: House, graph: bytes = b'{"1":{"class_type":"LoadImage"}}') -> Job:
    body = JobBody(graph=graph, extra_data=b"{}", outputs=("1",))
    new = NewJob(id=JobId(uuid4()), user_id=house.ada.user.id, body=body)
    return await house.services.store.add_job(new, house.services.clock(), max_queued=None)


async def _failed(house: House, error: bytes) -> Job:
    store, now = house.services.store, house.services.clock()
    job = await _queued(house)
    job = await store.change_job(job, advance(job, Verb.ASSIGN, now, worker_id=WorkerId("w1")))
    job = await store.change_job(job, advance(job, Verb.START, now, lease=job.lease))
    return await store.change_job(job, advance(job, Verb.FAIL, now, lease=job.lease), ending=Ending(error=error))


async def _made(house: House, name: str = "cat.png", content: bytes = PNG) -> tuple[Asset, str]:
    asset = await house.output(house.ada, name, content)
    assert asset.origin is not None
    return asset, f"/dashboard/jobs/{asset.origin.job_id}"


async def _admin(house: House) -> dict[str, str]:
    accounts = house.services.accounts
    user = await accounts.create_user(NewUser(name="root", role=Role.ADMIN))
    cookie = await accounts.use_login_link(await accounts.login_link(user))
    return {"Cookie": f"{SESSION_COOKIE}={cookie}", "Origin": ORIGIN}


async def test_a_job_shows_what_it_made_and_where_that_is(house: House) -> None:
    _, address = await _made(house)

    page = (await house.ada.browser.get(address)).text

    assert "Done" in page
    assert 'src="/api/view?filename=cat.png&amp;subfolder=&amp;type=output&amp;res=512"' in page
    assert f'href="{address}/files.zip"' in page
    assert f'action="{address}/rerun"' in page


async def test_a_job_that_waits_says_why(house: House) -> None:
    job = await _queued(house)

    page = (await house.ada.browser.get(f"/dashboard/jobs/{job.id}")).text

    assert "Why it waits" in page
    assert f'action="/dashboard/jobs/{job.id}/cancel"' in page


async def test_a_failed_job_says_in_which_node_and_how(house: House) -> None:
    error = {
        "node_id": "7",
        "node_type": "KSampler",
        "exception_message": "out of memory",
        "exception_type": "OutOfMemoryError",
        "traceback": ["line one", "line two\n"],
    }
    job = await _failed(house, msgspec.json.encode(error))

    page = (await house.ada.browser.get(f"/dashboard/jobs/{job.id}")).text

    for text in ("KSampler failed", "out of memory", "<dd>7</dd>", "OutOfMemoryError", "line one\nline two"):
        assert text in page


@pytest.mark.parametrize("error", [b"{}", b"null", b'{"traceback": 5, "node_id": {}}', b'{"traceback": [{}, 1]}'])
async def test_an_odd_error_is_a_page(house: House, error: bytes) -> None:
    job = await _failed(house, error)

    assert "It failed" in (await house.ada.browser.get(f"/dashboard/jobs/{job.id}")).text


async def test_what_is_anothers_is_not_there(house: House) -> None:
    asset, address = await _made(house)
    for browser in (house.bob.browser, house.ada.browser):
        is_owner = browser is house.ada.browser
        for path in ("", "/files.zip", "/workflow.json"):
            assert (await browser.get(f"{address}{path}")).status_code == (200 if is_owner else 404), path
        for verb in ("cancel", "rerun", "delete"):
            if not is_owner:
                assert (await browser.post(f"{address}/{verb}")).status_code == 404, verb

    assert asset.origin is not None
    assert await house.services.store.job(asset.origin.job_id) is not None


async def test_strangers_are_sent_to_sign_in(house: House) -> None:
    _, address = await _made(house)

    for path in ("", "/files.zip", "/workflow.json"):
        answer = await house.stranger.get(f"{address}{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={address}{path}")
    for verb in ("cancel", "rerun", "delete"):
        assert (await house.stranger.post(f"{address}/{verb}")).headers["location"] == "/login"


@pytest.mark.parametrize("verb", ["cancel", "rerun", "delete"])
async def test_a_page_of_another_site_changes_nothing(house: House, verb: str) -> None:
    job = await _queued(house)

    for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await house.ada.browser.post(f"/dashboard/jobs/{job.id}/{verb}", headers=headers)
        assert answer.status_code == 403

    assert await house.services.store.job(job.id) == job


async def test_a_job_is_canceled_from_its_page(house: House) -> None:
    job = await _queued(house)

    answer = await house.ada.browser.post(f"/dashboard/jobs/{job.id}/cancel")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/jobs/{job.id}")
    assert "Canceled" in (await house.ada.browser.get(f"/dashboard/jobs/{job.id}")).text


async def test_a_job_is_removed_from_its_page_only_when_it_has_ended(house: House) -> None:
    job = await _queued(house)
    address = f"/dashboard/jobs/{job.id}"

    refused = await house.ada.browser.post(f"{address}/delete")
    assert refused.status_code == 409
    assert "Cancel it first" in refused.text

    await house.ada.browser.post(f"{address}/cancel")
    assert (await house.ada.browser.post(f"{address}/delete")).headers["location"] == "/dashboard"
    assert (await house.ada.browser.get(address)).status_code == 404


async def test_an_admin_sees_anothers_job_by_signed_addresses_and_can_stop_it(house: House) -> None:
    _, address = await _made(house)
    headers = await _admin(house)

    page = (await house.stranger.get(address, headers=headers)).text

    (picture,) = re.findall(r'<img src="(/files/[^"]+)"', page)
    assert (await house.stranger.get(picture)).content == PNG
    assert "ada" in page
    assert "/rerun" not in page
    assert "/delete" not in page
    job = await _queued(house)
    await house.stranger.post(f"/dashboard/jobs/{job.id}/cancel", headers=headers)
    stopped = await house.services.store.job(job.id)
    assert stopped is not None
    assert stopped.state is JobState.CANCELED


async def test_all_files_come_as_one_archive(house: House) -> None:
    _, address = await _made(house, "cat.png", PNG * 50_000)

    answer = await house.ada.browser.get(f"{address}/files.zip")

    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["cat.png"]
        assert archive.read("cat.png") == PNG * 50_000
    assert (await house.ada.browser.head(f"{address}/files.zip")).content == b""


async def test_a_job_without_files_has_no_archive(house: House) -> None:
    job = await _queued(house)

    assert (await house.ada.browser.get(f"/dashboard/jobs/{job.id}/files.zip")).status_code == 404


async def test_the_workflow_is_a_file_to_save(house: House) -> None:
    _, address = await _made(house)

    graph = await house.ada.browser.get(f"{address}/workflow.json")
    drawn = await house.ada.browser.get(f"{address}/workflow.json?editor")

    assert graph.json() == {"1": {}}
    assert drawn.json() == {"id": "w"}
    for answer in (graph, drawn):
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ["x", "%00", "<script>", "0" * 100])
async def test_a_name_that_is_no_id_is_not_there(house: House, method: str, name: str) -> None:
    path = f"/dashboard/jobs/{name}" + ("/cancel" if method == "POST" else "")

    answer: httpx.Response = await house.ada.browser.request(method, path)

    assert answer.status_code == 404
    assert "<script>" not in answer.text
