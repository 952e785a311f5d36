"""Uploading a model by its page, in a real Chromium: told as it goes, and what is no model is found before it goes."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.server.pages.browsing import DEADLINE_MS, Place, Visit, open_place

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=DEADLINE_MS)
PATH = "/dashboard/models"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Any]:
    with make_server(tmp_path_factory.mktemp("models") / "data", "--max-model-bytes=4000000") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(server: Any) -> AsyncIterator[Place]:
    async with open_place(server) as place:
        yield place


def _model(size: int) -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


async def _send(visit: Visit, file: Path, folder: str = "loras") -> None:
    await visit.page.get_by_label("File", exact=True).set_input_files(file)
    await visit.page.locator("#upload-folder").fill(folder)
    await visit.page.get_by_role("button", name="Upload").press("Enter")


async def test_a_file_is_uploaded_with_its_progress_and_stands_in_the_list(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    file.write_bytes(_model(3_000_000))
    async with place.signed_in("admin") as visit:
        await visit.page.goto(PATH)
        await expect(visit.page.get_by_text("No models yet")).to_be_visible()
        # What the bar was told, as all of it may be over within a moment.
        await visit.page.evaluate(
            """() => {
                const [bar, said] = [document.getElementById("sent"), document.getElementById("so-far")];
                window.told = [];
                new MutationObserver(() => told.push([bar.value, bar.checkVisibility(), said.textContent]))
                    .observe(said, { childList: true });
            }"""
        )

        await _send(visit, file)

        await expect(visit.page.get_by_text("loras/ink.safetensors is registered")).to_be_visible()
        await expect(visit.page.locator(".models strong")).to_have_text("ink.safetensors")
        told = [one for one in await visit.page.evaluate("window.told") if one[2]]
        assert told[-1] == [1, True, "All is sent; the server looks at it."]
        assert await visit.faults() == []
        await expect(visit.page.locator("#sending")).to_be_hidden()

        await _send(visit, file)
        await expect(visit.page.get_by_role("alert")).to_contain_text("There is a model of this name already")

        await visit.page.get_by_text("Remove", exact=True).click()
        await visit.page.get_by_role("button", name="Remove loras/ink.safetensors for good").click()
        await expect(visit.page.get_by_text("No models yet")).to_be_visible()
        assert [one for one in visit.complaints if "404" not in one] == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.safetensors", b"\x80\x02cos\nsystem" * 9, "This is no file of safetensors"),
        ("b.safetensors", _model(300)[:-1], "This file is damaged"),
        ("c.ckpt", b"PK", "The name must end with .safetensors or .sft."),
        ("d.safetensors", _model(4_000_000), "at most 3.8 MiB are taken"),
    ],
)
async def test_what_is_no_model_is_told_before_it_is_sent(
    place: Place, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    async with place.signed_in("admin") as visit:
        sent: list[str] = []
        visit.page.on("request", lambda one: sent.append(one.url) if one.method == "PUT" else None)
        await visit.page.goto(PATH)

        await _send(visit, file)

        await expect(visit.page.get_by_role("alert")).to_contain_text(words)
        assert sent == []


async def test_what_the_server_refuses_is_told_in_its_words(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "e.safetensors"
    file.write_bytes(_model(3))
    async with place.signed_in("admin") as visit:
        await visit.page.goto(PATH)

        await _send(visit, file, folder="custom_nodes")

        await expect(visit.page.get_by_role("alert")).to_contain_text("'custom_nodes' is no folder of models")


async def test_without_scripts_the_page_says_what_does_it(place: Place) -> None:
    async with place.signed_in("admin", with_scripts=False) as visit:
        await visit.page.goto(PATH)

        await expect(visit.page.get_by_text("Uploading here needs scripts.")).to_be_visible()
        await expect(visit.page.get_by_role("button", name="Upload")).to_be_disabled()
