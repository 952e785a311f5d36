"""Our pages in a real Chromium: who is signed in, what went wrong on the way, and whether everybody can use them."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
DEADLINE_MS = 120_000
DESK, PHONE = 1280, 390
_SCREENSHOTS = Path(os.environ.get("FIRESIDE_SCREENSHOTS", "test-artefacts/pages"))
_GRAVE = frozenset({"serious", "critical"})


@dataclass
class Visit:
    """A page that is open, and what its browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])

    async def faults(self) -> list[str]:
        """What of the page keeps some people from using it, by axe-core; only what is grave."""
        await self.page.evaluate(_axe())
        found: dict[str, Any] = await self.page.evaluate("axe.run()")
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in _GRAVE
            for node in one["nodes"]
        ]

    async def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    async def keep_picture(self, name: str) -> None:
        """Keep a picture of it, for people."""
        _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=_SCREENSHOTS / f"{name}.png", full_page=True)


@dataclass(frozen=True)
class Place:
    """A real server and one browser."""

    server: Any
    browser: Browser

    @property
    def url(self) -> str:
        return self.server.url

    def user(self, name: str, **more: Any) -> httpx.Client:
        """Make a user, and give a client of theirs."""
        return self.server.client(self.server.add_user(name, **more))

    @asynccontextmanager
    async def signed_in(
        self,
        name: str,
        *,
        width: int = DESK,
        scheme: Literal["light", "dark"] = "light",
        with_scripts: bool = True,
        with_rest: bool = False,
    ) -> AsyncGenerator[Visit]:
        """Sign a browser in as this user, or as nobody without a name; `with_rest` asks pages for no movement."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce" if with_rest else "no-preference",
            java_script_enabled=with_scripts,
            base_url=self.url,
        )
        context.set_default_timeout(DEADLINE_MS)
        async with _closed(context):
            if name:
                link = self.server.login_link(name)
                await context.request.post(link, headers={"Origin": self.url}, max_redirects=0)
            visit = Visit(await context.new_page())
            visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
            visit.page.on("console", lambda said: visit.complaints.append(said.text) if said.type == "error" else None)
            yield visit


@asynccontextmanager
async def open_place(server: Any) -> AsyncGenerator[Place]:
    """Open a browser beside a server."""
    async with AsyncExitStack() as doors:
        playwright = await doors.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=DEADLINE_MS)
        doors.push_async_callback(browser.close)
        yield Place(server, browser)


@asynccontextmanager
async def _closed(context: BrowserContext) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await context.close()


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node of a graph."""
    return {"class_type": kind, "inputs": inputs}


def submit(client: httpx.Client, graph: dict[str, Any], **more: Any) -> str:
    """Submit a graph, and give the id of its job."""
    answer = client.post("/api/prompt", json={"prompt": graph, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["prompt_id"]


def texts(*lines: str) -> dict[str, Any]:
    """A graph that shows each of the texts."""
    return {
        str(number): made
        for place, line in enumerate(lines)
        for number, made in (
            (2 * place + 1, node("PrimitiveString", value=line)),
            (2 * place + 2, node("PreviewAny", source=[str(2 * place + 1), 0])),
        )
    }


def slow(seconds: float) -> dict[str, Any]:
    """A graph that takes a while, with progress and previews."""
    return {
        "1": node("EmptyImage", width=64, height=64, batch_size=1, color=255),
        "2": node("FiresideSleep", image=["1", 0], seconds=seconds, steps=max(1, int(seconds * 4))),
        "3": node("SaveImage", images=["2", 0], filename_prefix="slow"),
    }


def wait_until_ended(client: httpx.Client, job_ids: Sequence[str]) -> None:
    """Wait until jobs have ended, by their event streams."""
    for job_id in job_ids:
        with client.stream("GET", f"/api/v2/jobs/{job_id}/events", timeout=DEADLINE_MS / 1000) as events:
            for _ in events.iter_lines():
                pass


def _axe() -> str:
    try:
        return (files("axe_playwright_python") / "axe.min.js").read_text()
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("axe-playwright-python is not installed; `make test` installs it")
