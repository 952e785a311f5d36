"""Every page there is, as people with a keyboard, a phone, a dark room or bad intentions meet it, in a real Chromium.

The pages come from the table of routes, so that none can be forgotten: `walking.PAGES` says where each is seen.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Response, expect
from tests.server.pages.browsing import DEADLINE_MS, PHONE, Place, Visit, open_place
from tests.server.pages.walking import (
    FOR_STRANGERS,
    FORMS,
    PAGES,
    PATHS,
    SCRIPT,
    SHOWS_USERS_WORDS,
    VIEWS,
    addresses_of,
    fill,
    markup_of_users,
    moving_parts,
    walk_by_keyboard,
)

from fireside.server.pages.shell import PLACES

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=DEADLINE_MS)
_FIELDS = (
    "name",
    "password",
    "again",
    "former",
    "label",
    "next",
    "role",
    "weight",
    "reuse",
    "folder",
    "source_url",
    "blake3",
    "max_queued",
    "quota_jobs",
)
_SEND = """([path, fields]) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: path });
    for (const [name, value] of fields) {
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name, value });
        form.append(input);
    }
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Any]:
    provider = (f"--oidc-name={SCRIPT}", "--oidc-issuer=https://127.0.0.1:9", "--oidc-client-id=fireside")
    folder = tmp_path_factory.mktemp("every") / "data"
    models = ("--model-hosts=models.example",)
    with make_server(folder, f"--editor-dir={folder}/no-editor", *provider, *models) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: Any) -> AsyncIterator[Place]:
    async with open_place(server) as place:
        yield place


@pytest.fixture(scope="module")
def names(place: Place) -> dict[str, str]:
    """Everything that stands in the addresses of pages, of a user whose every word is a script."""
    eve = place.user("eve", role="admin", quota_jobs=1000)
    place.server.add_user("mia")
    with place.server.client(place.server.key_of("admin")) as admin:
        admin.post("/admin/api/keys", json={"user": "eve", "label": SCRIPT}).raise_for_status()
        model = {"folder": "loras", "name": "ink.safetensors", "source_url": f"https://models.example/{SCRIPT}"}
        admin.post("/admin/api/models", json=model | {"blake3": "a" * 64, "size_bytes": 5}).raise_for_status()
        links = {
            "invitation_token": admin.post("/admin/api/invitations", json={}).raise_for_status().json()["url"],
            "named_token": admin.post("/admin/api/invitations", json={"name": "gus"}).raise_for_status().json()["url"],
            "password_token": admin.post("/admin/api/password-link", json={"user": "mia"})
            .raise_for_status()
            .json()["url"],
        }
    tokens = {name: str(url).rpartition("/")[2] for name, url in links.items()}
    return {"script": SCRIPT, **tokens, **fill(eve)}


async def test_every_page_has_an_address_where_it_is_walked() -> None:
    assert sorted(PAGES) == PATHS, (
        "say in walking.PAGES where a new page is seen, or in walking.FILES that it is a file"
    )


@pytest.mark.parametrize("path", PATHS)
async def test_everybody_can_use_a_page_and_no_words_of_a_user_are_markup(
    place: Place, names: dict[str, str], path: str
) -> None:
    shown = ""
    async with place.signed_in("" if path.startswith(FOR_STRANGERS) else "eve", with_rest=True) as visit:
        for number, address in enumerate(addresses_of(path, names)):
            answer = await visit.page.goto(address)
            await _holds_what_pages_promise(visit, answer, f"{path.strip('/').replace('/', '-') or 'home'}-{number}")
            shown += await visit.page.locator("main").text_content() or ""
    if path in SHOWS_USERS_WORDS:
        assert SCRIPT in shown


async def test_cards_alone_are_no_markup_of_a_user_either(place: Place, names: dict[str, str]) -> None:
    async with place.signed_in("eve") as visit:
        jobs = "&".join(f"id={names[name]}" for name in ("failed", "made", "wrote", "labeled", "runs", "waits"))
        await visit.page.goto(f"/dashboard/cards?{jobs}&id={quote(SCRIPT)}")
        assert await visit.page.locator(".job").count() == 6
        assert await markup_of_users(visit) == []
        assert _complaints(visit) == []


@pytest.mark.parametrize("path", FORMS)
async def test_what_is_sent_to_a_page_is_shown_as_text(place: Place, names: dict[str, str], path: str) -> None:
    address = "/".join(quote(SCRIPT, safe="") if part.startswith("{") else part for part in path.split("/"))
    given = dict.fromkeys(_FIELDS, names["script"])
    async with place.signed_in("" if path.startswith(FOR_STRANGERS) else "eve") as visit:
        for fields in (given, {**given, "token": SCRIPT}):
            await visit.page.goto("/login")
            async with visit.page.expect_navigation():
                await visit.page.evaluate(_SEND, [address, list(fields.items())])
            await expect(visit.page.locator("h1")).to_be_visible()
            assert await markup_of_users(visit) == []
        assert _complaints(visit) == []


async def test_a_member_reads_what_is_not_theirs(place: Place, names: dict[str, str]) -> None:
    closed = [one.path for one in PLACES if one.is_for_admins]
    async with place.signed_in("mia", with_rest=True) as visit:
        for number, address in enumerate([*closed, f"/dashboard/jobs/{names['made']}", "/dashboard/nothing"]):
            answer = await visit.page.goto(address)
            assert answer is not None
            assert answer.status == (403 if address in closed else 404)
            await _holds_what_pages_promise(visit, answer, f"refused-{number}")


async def test_the_skip_link_leads_past_the_navigation(place: Place, names: dict[str, str]) -> None:
    assert names
    async with place.signed_in("eve") as visit:
        await visit.page.goto("/account")
        await visit.page.keyboard.press("Tab")
        await expect(visit.page.locator(".skip")).to_be_in_viewport()
        await visit.page.keyboard.press("Enter")
        await visit.page.keyboard.press("Tab")
        assert await visit.page.evaluate("document.activeElement.closest('main') !== null")


async def test_a_server_without_anything_yet_has_pages_worth_looking_at(
    tmp_path_factory: pytest.TempPathFactory, make_server: Any, place: Place
) -> None:
    folder = tmp_path_factory.mktemp("empty") / "data"
    with make_server(folder, f"--editor-dir={folder}/no-editor", "--workers=0") as server:
        async with Place(server, place.browser).signed_in("admin", with_rest=True) as visit:
            await visit.page.goto("/account")
            await visit.page.get_by_role("button", name="Revoke").click()
            await expect(visit.page.get_by_text("You have none.")).to_be_visible()
            for address in ("/account", *(one.path for one in PLACES)):
                answer = await visit.page.goto(address)
                await _holds_what_pages_promise(
                    visit, answer, f"empty-{address.strip('/').replace('/', '-') or 'home'}"
                )


async def _holds_what_pages_promise(visit: Visit, answer: Response | None, name: str) -> None:
    """See to it that everybody can use the page that is open, at every width and in every light."""
    assert answer is not None
    await expect(visit.page.locator("h1")).to_be_visible()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    for width, scheme in VIEWS:
        await visit.page.set_viewport_size({"width": width, "height": 900})
        await visit.page.emulate_media(color_scheme=scheme)
        await visit.keep_picture(f"{name}-{width}-{scheme}")
        assert await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert await visit.faults() == [], (name, width, scheme)
        if (width, scheme) == (PHONE, "light"):
            assert await walk_by_keyboard(visit) == [], name
    assert await moving_parts(visit) == [], name
    assert await markup_of_users(visit) == [], name
    assert _complaints(visit) == [], name


def _complaints(visit: Visit) -> list[str]:
    # Chromium itself notes a page whose status is a refusal.
    return [one for one in visit.complaints if not one.startswith("Failed to load resource")]
