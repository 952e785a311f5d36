"""What goes wrong before a page knows who looks at it: people read pages, and programs read JSON as ever."""

from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from tests.server.pages.site import ORIGIN, Site

from fireside.domain.errors import Unavailable
from fireside.server.edge import build_edge
from fireside.server.pages.failures import refused
from fireside.server.pages.rendering import HEADERS

# About pages of refusals.
pytestmark = pytest.mark.once

BY_A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def _is_page(answer: httpx.Response) -> bool:
    is_safe = answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    return is_safe and answer.headers["content-type"].startswith("text/html") and "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/dashboard/nothing", "/nothing", "/dashboard/", "/%3Cscript%3E"])
async def test_an_address_that_is_not_there_is_a_page_for_people(site: Site, path: str) -> None:
    answer = await site.browser.get(path, headers=BY_A_PERSON)

    assert answer.status_code == 404
    assert _is_page(answer)
    assert "Nothing is here" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize(("path", "accept"), [("/nothing", "*/*"), ("/api/nothing", BY_A_PERSON["Accept"])])
async def test_programs_are_told_in_json_what_is_not_there(site: Site, path: str, accept: str) -> None:
    answer = await site.browser.get(path, headers={"Accept": accept})

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_the_address_of_a_form_is_a_page_for_who_goes_there(site: Site) -> None:
    answer = await site.browser.get("/logout", headers=BY_A_PERSON)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert _is_page(answer)


@pytest.mark.parametrize("path", ["/login", "/logout", "/account/password", "/dashboard/invitations"])
async def test_a_form_of_another_site_is_refused_by_a_page(site: Site, path: str) -> None:
    await site.sign_in_as_admin()
    answer = await site.browser.post(path, headers={**BY_A_PERSON, "Origin": "http://evil.test"})

    assert answer.status_code == 403
    assert _is_page(answer)
    assert "sent by another site" in answer.text


async def test_a_form_that_is_too_large_is_refused_by_a_page(site: Site) -> None:
    answer = await site.browser.post("/login", content=b"name=" + b"x" * 100_000, headers=BY_A_PERSON)

    assert answer.status_code == 413
    assert _is_page(answer)


async def test_a_fault_says_nothing_of_the_server(site: Site) -> None:
    def broken_clock() -> datetime:
        raise RuntimeError("the secret is in /etc")

    await site.sign_in()
    edge = build_edge(replace(site.services, clock=broken_clock))
    transport = httpx.ASGITransport(app=edge, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=site.browser.cookies) as browser:
        answer = await browser.get("/dashboard", headers=BY_A_PERSON)

    assert answer.status_code == 500
    assert _is_page(answer)
    assert "That broke" in answer.text
    assert "secret" not in answer.text


def test_who_is_to_come_back_is_told_when() -> None:
    answer = refused(Unavailable("the disk is full", retry_after=7))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert b"The disk is full." in bytes(answer.body)
