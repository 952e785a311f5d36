"""Users' bytes in a real browser: opened and embedded in every way, nothing of them runs in our origin."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from playwright.async_api import BrowserContext, Error, Page, async_playwright
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.databases import Databases
from tests.server.v1.files.hostile import MISLABELED, POLYGLOTS, RUNNING
from tests.server.v1.files.house import House, open_house

from fireside.accounts.tokens import SESSION_COOKIE
from fireside.server.edge import build_edge

pytestmark = [pytest.mark.browser, pytest.mark.once]
HOSTILE = RUNNING | POLYGLOTS | MISLABELED
CHROMIUM = "/usr/bin/chromium"
DEADLINE_MS = 120_000


@dataclass
class Watched:
    """Our edge, and beside it in the same origin: what ran, and pages that try to run what users sent."""

    edge: ASGIApp
    ran: set[str] = field(default_factory=set[str])
    pages: dict[str, str] = field(default_factory=dict[str, str])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith("/ran/"):
            self.ran.add(path.removeprefix("/ran/"))
            await Response(status_code=204)(scope, receive, send)
        elif path in self.pages:
            await HTMLResponse(self.pages[path])(scope, receive, send)
        else:
            await self.edge(scope, receive, send)


@dataclass(frozen=True)
class Site:
    house: House
    watched: Watched
    origin: str
    context: BrowserContext

    async def page(self) -> Page:
        return await self.context.new_page()

    async def addresses(self, name: str) -> list[str]:
        """The two addresses at which a browser can have a file."""
        query = f"filename={quote(name)}&type=input"
        signed = await self.house.ada.program.get(f"/api/view?{query}")
        return [f"{self.origin}/api/view?{query}", signed.headers["location"]]


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as doors:
        listening = doors.enter_context(socket.create_server(("127.0.0.1", 0)))
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        house = await open_house(databases.config(tmp_path / "data"), doors, None, public_url=origin)
        watched = Watched(build_edge(house.services))
        await doors.enter_async_context(_serving(watched, listening))
        playwright = await doors.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=DEADLINE_MS)
        doors.push_async_callback(browser.close)
        context = await browser.new_context()
        context.set_default_timeout(DEADLINE_MS)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": house.ada.cookie, "url": origin}])
        yield Site(house, watched, origin, context)


@contextlib.asynccontextmanager
async def _serving(app: ASGIApp, listening: socket.socket) -> AsyncGenerator[None]:
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _open(page: Page, url: str) -> None:
    # A file to save ends the navigation with an error.
    with contextlib.suppress(Error):
        await page.goto(url, wait_until="load")


def _embedding(urls: list[str]) -> str:
    """A page of our origin that tries to run each address in every way there is."""
    tags = (
        '<script src="{}"></script>', '<script type="module" src="{}"></script>', '<iframe src="{}"></iframe>',
        '<object data="{}"></object>', '<embed src="{}">', '<img src="{}">', '<link rel="stylesheet" href="{}">',
        '<video src="{}"></video>', '<iframe srcdoc="&lt;script src=&quot;{}&quot;&gt;&lt;/script&gt;"></iframe>',
    )  # fmt: skip
    escaped = [url.replace("&", "&amp;") for url in urls]
    worker = "".join(f"try{{new Worker('{url}').onerror=()=>0}}catch(e){{}};" for url in urls)
    frames = "".join(tag.format(url) for tag in tags for url in escaped)
    return f"<!doctype html><body>{frames}<script>{worker}</script>"


async def _until_control_ran(site: Site) -> None:
    """Run something of our own last: what was to run before has had its time by then."""
    site.watched.pages["/control"] = "<script>fetch('/ran/control').then(()=>document.title='done')</script>"
    page = await site.page()
    await page.goto(f"{site.origin}/control")
    await page.wait_for_function("document.title === 'done'")


async def test_the_bytes_do_run_where_nothing_keeps_them_from_it(site: Site) -> None:
    naked = ("page.html", "no-ending", "html.png")
    site.watched.pages |= {f"/naked/{name}": HOSTILE[name].decode() for name in naked}
    for name in naked:
        await _open(await site.page(), f"{site.origin}/naked/{name}")
    await _until_control_ran(site)

    assert site.watched.ran == {*naked, "control"}


async def test_nothing_runs_when_it_is_opened(site: Site) -> None:
    for name, content in HOSTILE.items():
        await site.house.record(site.house.ada, name, content, "text/html")
    page = await site.page()
    for name in HOSTILE:
        for url in await site.addresses(name):
            await _open(page, url)
    await _until_control_ran(site)

    assert site.watched.ran == {"control"}


async def test_a_polyglot_that_is_shown_does_not_run(site: Site) -> None:
    for name, content in POLYGLOTS.items():
        assert (await site.house.ada.upload(content, name)).status_code == 200
        for url in await site.addresses(name):
            page = await site.page()
            answer = await page.goto(url)
            assert answer is not None
            assert answer.headers["content-type"] == "image/gif"
            assert await page.evaluate("document.images.length") == 1
    await _until_control_ran(site)

    assert site.watched.ran == {"control"}


async def test_nothing_runs_when_a_page_of_ours_embeds_it(site: Site) -> None:
    for name, content in HOSTILE.items():
        await site.house.record(site.house.ada, name, content, "text/html")
        site.watched.pages[f"/embed/{name}"] = _embedding(await site.addresses(name))
    for name in HOSTILE:
        page = await site.page()
        await _open(page, f"{site.origin}/embed/{name}")
        await page.close()
    await _until_control_ran(site)

    assert site.watched.ran == {"control"}


async def test_a_picture_is_shown(site: Site, picture: bytes) -> None:
    await site.house.ada.upload(picture, "a.png")
    for number, url in enumerate(await site.addresses("a.png")):
        site.watched.pages[f"/shown/{number}"] = f'<img src="{url.replace("&", "&amp;")}">'
        page = await site.page()
        await page.goto(f"{site.origin}/shown/{number}", wait_until="load")
        assert await page.evaluate("document.images[0].naturalWidth") == 80
