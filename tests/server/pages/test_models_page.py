"""The page of models: what an admin sees of the registry, and what goes into it and out of it there."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from blake3 import blake3
from tests.databases import Databases
from tests.server.pages.site import ORIGIN, Site

from fireside.app import assemble
from fireside.domain.ids import BlobHash
from fireside.domain.models import ModelName
from fireside.server.edge import build_edge

PATH = "/dashboard/models"
SCRIPT = "<script>alert(1)</script>"
HEADER = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
MODEL = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)
HASH = blake3(MODEL).hexdigest()
FORM = {
    "source_url": "https://models.example/a/ink.safetensors?token=hush",
    "folder": "loras",
    "blake3": "A" * 64,
    "size_bytes": "4096",
}


@pytest.fixture
async def site(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    config = databases.config(tmp_path / "data", model_hosts=("models.example",), max_model_bytes=8192)
    async with assemble(config, public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as browser:
            yield Site(assembly.services, browser)


async def test_members_and_strangers_see_no_model_and_change_none(site: Site) -> None:
    assert (await site.browser.get(PATH)).headers["location"] == f"/login?next={PATH}"
    await site.services.store.add_model(
        ModelName("loras", "ink.safetensors"), BlobHash("a" * 64), 5, None, site.services.clock()
    )
    await site.sign_in()

    page = await site.browser.get(PATH)

    assert page.status_code == 403
    assert "ink.safetensors" not in page.text
    assert (await site.browser.post(PATH, data=FORM | {"folder": "vae"})).status_code == 403
    gone = await site.browser.post(f"{PATH}/remove", data={"folder": "loras", "name": "ink.safetensors"})
    assert gone.status_code == 403
    assert len(await site.services.store.models()) == 1
    assert PATH not in (await site.browser.get("/dashboard")).text


async def test_a_model_at_an_address_is_registered_shown_without_its_secret_and_removed(site: Site) -> None:
    await site.sign_in_as_admin()

    answer = await site.browser.post(PATH, data=FORM)

    assert answer.status_code == 303
    page = (await site.browser.get(answer.headers["location"])).text
    assert "<strong>loras/ink.safetensors</strong> is registered" in page
    assert "4.0 KiB · from models.example/a/ink.safetensors ·" in page
    assert "hush" not in page
    (model,) = await site.services.store.models()
    assert (model.hash, model.size_bytes, model.source_url) == ("a" * 64, 4096, FORM["source_url"])
    name = {"folder": "loras", "name": "ink.safetensors"}
    assert (await site.browser.post(f"{PATH}/remove", data=name)).headers["location"] == PATH
    assert not await site.services.store.models()
    again = await site.browser.post(f"{PATH}/remove", data=name)
    assert again.status_code == 404
    assert "there is no model loras/ink.safetensors" in again.text


async def test_bytes_that_are_here_already_are_registered_by_their_hash(site: Site) -> None:
    await site.services.blobs.write_bytes(MODEL, limit_bytes=None)
    await site.sign_in_as_admin()
    form = {"folder": "unet", "name": "here.safetensors", "blake3": HASH}

    answer = await site.browser.post(PATH, data=form)

    assert answer.status_code == 303
    (model,) = await site.services.store.models()
    assert (str(model.name), model.size_bytes, model.source_url) == (
        "diffusion_models/here.safetensors", len(MODEL), None,
    )  # fmt: skip
    assert await site.services.store.unused_blobs([BlobHash(HASH)]) == set()


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        pytest.param({"folder": "custom_nodes"}, 400, "no folder of models", id="a folder"),
        pytest.param({"folder": SCRIPT}, 400, "no folder of models", id="a script"),
        pytest.param({"source_url": "https://elsewhere.example/a.safetensors"}, 403, "model_hosts", id="a host"),
        pytest.param({"source_url": "https://models.example/a.ckpt"}, 415, "model_formats", id="a format"),
        pytest.param({"size_bytes": "4 GB"}, 400, "digits alone", id="a size in words"),
        pytest.param({"size_bytes": ""}, 400, "at least one byte", id="no size"),
        pytest.param({"size_bytes": "9" * 18}, 413, "max_model_bytes", id="a large size"),
        pytest.param({"blake3": SCRIPT}, 400, "hexadecimal", id="no hash"),
        pytest.param({"source_url": "", "name": "a.safetensors"}, 404, "no bytes with this hash", id="no bytes"),
        pytest.param({"source_url": ""}, 400, "what the model is called", id="no name"),
    ],
)
async def test_what_cannot_be_registered_is_told_and_what_was_written_stays(
    site: Site, changes: dict[str, str], status: int, word: str
) -> None:
    await site.sign_in_as_admin()

    answer = await site.browser.post(PATH, data=FORM | changes)

    assert answer.status_code == status
    assert word in answer.text
    assert 'role="alert"' in answer.text
    assert SCRIPT not in answer.text
    assert f'value="{FORM["blake3"]}"' in answer.text or "blake3" in changes
    assert not await site.services.store.models()


async def test_bytes_that_are_no_model_are_not_registered_by_their_hash(site: Site) -> None:
    await site.sign_in_as_admin()
    for content, status in ((b"\x80\x02cos\nsystem", 400), (MODEL + b"x", 400), (MODEL + bytes(8192), 413)):
        blob = await site.services.blobs.write_bytes(content, limit_bytes=None)

        answer = await site.browser.post(PATH, data={"folder": "vae", "name": "a.safetensors", "blake3": blob.hash})

        assert answer.status_code == status
    assert not await site.services.store.models()


async def test_another_sites_page_registers_nothing(site: Site) -> None:
    await site.sign_in_as_admin()

    answer = await site.browser.post(PATH, data=FORM, headers={"Origin": "http://evil.test"})

    assert answer.status_code == 403
    assert not await site.services.store.models()
