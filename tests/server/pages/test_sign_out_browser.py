"""Signing out in a real Chromium: nothing that a page of ours kept there is left for whoever signs in next."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Route
from tests.server.pages.browsing import Place, open_place

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]
_KEEP = """async () => {
  localStorage.setItem("draft", "of ann");
  sessionStorage.setItem("draft", "of ann");
  await new Promise((done, fail) => {
    const asked = indexedDB.open("drafts", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("drafts").put("of ann", 1);
    asked.onsuccess = () => { asked.result.close(); done(); };
    asked.onerror = fail;
  });
  await (await caches.open("drafts")).put("/draft", new Response("of ann"));
  const folder = await navigator.storage.getDirectory();
  await (await folder.getDirectoryHandle("drafts", { create: true })).getFileHandle("ann", { create: true });
}"""
_KEPT = """async () => {
  const names = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
  const databases = (await indexedDB.databases()).map(({ name }) => name);
  return [localStorage.length, sessionStorage.length, databases, await caches.keys(), names];
}"""
_NOTHING: list[Any] = [0, 0, [], [], []]
_SOMETHING = [1, 1, ["drafts"], ["drafts"], ["drafts"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Any]:
    with make_server(tmp_path_factory.mktemp("leaving") / "data") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: Any) -> AsyncIterator[Place]:
    async with open_place(server) as place:
        yield place


async def _without_its_header(route: Route) -> None:
    """Pass on the answer as a browser takes it that does not heed Clear-Site-Data."""
    answer = await route.fetch(max_redirects=0)
    headers = {name: value for name, value in answer.headers.items() if name != "clear-site-data"}
    await route.fulfill(response=answer, headers=headers)


@pytest.mark.parametrize("is_heeded", [True, False], ids=["by-the-header", "by-the-script"])
async def test_signing_out_leaves_nothing_behind(place: Place, is_heeded: bool) -> None:
    name = f"ann-{int(is_heeded)}"
    place.user(name)
    async with place.signed_in(name, with_scripts=True) as visit:
        page = visit.page
        if is_heeded:
            await page.route("**/signed-out.js", lambda route: route.abort())
        else:
            await page.route("**/logout", _without_its_header)
        await page.goto("/dashboard")
        await page.evaluate(_KEEP)
        assert await page.evaluate(_KEPT) == _SOMETHING

        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/login?signed-out")
        if not is_heeded:
            await page.evaluate("() => globalThis.forgotten")

        assert await page.evaluate(_KEPT) == _NOTHING
