"""What bytes say of themselves, as both dialects show it beside what their owner says."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from tests.server.v1.files.house import House

from fireside.assets.outputs import OutputPlace, output_assets
from fireside.domain.ids import JobId
from fireside.store.records import NodeRecord

SAID = {"kind": "image", "width": 80, "height": 60}


async def _recorded(house: House, picture: bytes, way: str) -> dict[str, Any]:
    """Record the picture in some way, and read it as an asset."""
    program = house.ada.program
    if way == "image":
        asset_id = (await house.ada.upload(picture, "a.png")).raise_for_status().json()["asset"]["id"]
    elif way == "v2":
        form = {"content_type": "image/png", "file_path": "a.png"}
        sent = await program.post("/api/v2/assets", data=form, files={"file": ("a.png", picture)})
        asset_id = sent.raise_for_status().json()["id"]
    else:
        sent = await program.post("/api/assets", files={"file": ("a.png", picture)})
        asset_id = sent.raise_for_status().json()["id"]
    return (await program.get(f"/api/assets/{asset_id}")).raise_for_status().json()


@pytest.mark.parametrize("way", ["asset", "image", "v2"])
async def test_a_picture_tells_its_size_by_whichever_way_it_came(house: House, picture: bytes, way: str) -> None:
    shown = await _recorded(house, picture, way)

    assert (shown["metadata"], shown["user_metadata"]) == (SAID, {})
    v2 = (await house.ada.program.get(f"/api/v2/assets/{shown['id']}")).json()
    assert v2["fireside"] == {"metadata": SAID}


async def test_every_answer_with_an_asset_has_its_metadata(house: House, picture: bytes) -> None:
    program = house.ada.program
    made = (await program.post("/api/assets", files={"file": ("a.png", picture)})).json()
    named = {"hash": made["hash"], "tags": ["cat"], "name": "b.png"}
    again = await program.post("/api/assets/from-hash", json=named)
    changed = await program.put(f"/api/assets/{made['id']}", json={"name": "c.png"})
    await program.post("/api/assets", files={"file": ("a.txt", b"text")})

    assert [made["metadata"], again.json()["metadata"], changed.json()["metadata"]] == [SAID, SAID, SAID]
    listed = (await program.get("/api/assets")).json()["assets"]
    assert {one["name"]: one.get("metadata") for one in listed} == {"a.txt": None, "b.png": SAID, "c.png": SAID}
    v2 = await program.post("/api/v2/assets/from-hash", json={"hash": made["hash"], "file_path": "d.png"})
    assert v2.json()["fireside"] == {"metadata": SAID}


async def test_nobody_can_change_what_bytes_say(house: House, picture: bytes) -> None:
    made = await _recorded(house, picture, "asset")

    refused = await house.ada.program.put(f"/api/assets/{made['id']}", json={"metadata": {"width": 1}})

    assert refused.status_code == 400
    assert (await house.ada.program.get(f"/api/assets/{made['id']}")).json()["metadata"] == SAID


@pytest.mark.parametrize("kept", [9, 15, 20])
async def test_a_broken_picture_is_an_asset_that_says_nothing(house: House, picture: bytes, kept: int) -> None:
    made = await house.ada.program.post("/api/assets", files={"file": ("a.png", picture[:kept])})

    assert (made.status_code, "metadata" in made.json()) == (201, False)


async def test_a_file_that_a_node_made_tells_its_size(house: House, picture: bytes) -> None:
    made = await house.output(house.ada, "made.png", b"something else")
    assert made.origin is not None
    job = await house.services.store.job(JobId(made.origin.job_id), user_id=house.ada.user.id)
    assert job is not None
    written = await house.services.blobs.write_bytes(picture, limit_bytes=None)
    item = {"filename": f"{uuid4()}.png", "subfolder": "", "type": "output"}
    record = NodeRecord(node_id="2", display_node_id="2", output={"images": [item]})
    place = OutputPlace(key="images", index=0, hash=written.hash)

    (asset,) = await output_assets(house.services.blobs, job, record, [place], house.services.clock())
    await house.services.store.add_asset(asset)

    listed = (await house.ada.program.get("/api/assets", params={"name_contains": item["filename"]})).json()
    assert [one["metadata"] for one in listed["assets"]] == [SAID]


async def test_a_gif_and_a_picture_of_one_bit_tell_their_size_too(house: House) -> None:
    for saved_as in ("GIF", "BMP"):
        buffer = BytesIO()
        Image.new("1", (7, 3)).save(buffer, format=saved_as)
        shown = await _recorded(house, buffer.getvalue(), "asset")
        assert (shown["metadata"]["width"], shown["metadata"]["height"]) == (7, 3)
