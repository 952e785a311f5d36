"""The catalogue: nodes, features, the fleet as everybody may see it, and who the caller is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests import publishing
from tests.server.v1.files.house import House

from fireside.domain.ids import WorkerId
from fireside.domain.workers import Worker
from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES
from fireside.server.v1.system_catalogue import Catalogue
from fireside.server.v1.system_stats import system_stats
from fireside.wire.v1_system import NodeInfo

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DEFINITIONS = definitions_of(NODES.values())


async def publish(house: House, body: bytes = DEFINITIONS, runtime: str = "builtin", **more: Any) -> None:
    await publishing.publish(house.services.store, body, worker=runtime, runtime=runtime, **more)
    await house.services.desk.definitions.refresh()


@pytest.fixture
async def known(house: House) -> House:
    await publish(house)
    return house


async def test_all_nodes_are_described(known: House) -> None:
    answer = await known.ada.program.get("/api/object_info")

    assert answer.status_code == 200
    assert set(msgspec.json.decode(answer.content, type=dict[str, NodeInfo])) == set(msgspec.json.decode(DEFINITIONS))
    assert answer.json()["SaveImage"]["output_node"] is True


async def test_the_lists_of_files_are_the_callers_own(known: House, picture: bytes) -> None:
    await known.ada.upload(picture, "hers.png")
    await known.ada.upload(picture, "deep.png", subfolder="sub")
    await known.ada.upload(picture, "made.png", type="output")
    await known.bob.upload(picture, "his.png")

    hers = (await known.ada.program.get("/api/object_info")).json()
    his = (await known.bob.program.get("/api/object_info")).json()

    assert hers["LoadImage"]["input"]["required"]["image"][0] == ["hers.png", "sub/deep.png"]
    assert his["LoadImage"]["input"]["required"]["image"][0] == ["his.png"]


async def test_a_file_that_is_new_is_in_the_list_at_once(known: House, picture: bytes) -> None:
    before = await known.ada.program.get("/api/object_info")
    await known.ada.upload(picture, "new.png")

    after = await known.ada.program.get("/api/object_info", headers={"If-None-Match": before.headers["etag"]})

    assert after.status_code == 200
    assert "new.png" in after.text


async def test_a_client_that_has_it_is_told_so(known: House) -> None:
    first = await known.ada.program.get("/api/object_info")

    again = await known.ada.program.get("/api/object_info", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_other_definitions_are_other_bytes(known: House) -> None:
    first = await known.ada.program.get("/api/object_info")
    await publish(known, b'{"Only": {"input": {"required": {}}, "output": [], "name": "Only"}}', runtime="other")

    again = await known.ada.program.get("/api/object_info", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 200
    assert {"Only", "LoadImage"} <= set(again.json())


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True), ("br, GZIP;q=0.5", True), ("deflate,gzip", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("x-gzip", False),
    ],
)  # fmt: skip
async def test_it_is_packed_for_clients_that_can_unpack_it(known: House, accepted: str, is_packed: bool) -> None:
    answer = await known.ada.program.get("/api/object_info", headers={"Accept-Encoding": accepted})

    sent_bytes = int(answer.headers["content-length"])
    assert (answer.headers.get("content-encoding") == "gzip") is is_packed
    assert (sent_bytes < len(answer.content)) is is_packed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "LoadImage" in answer.json()


async def test_one_node_is_described_alone_and_an_unknown_one_not_at_all(known: House, picture: bytes) -> None:
    await known.ada.upload(picture, "hers.png")

    one = (await known.ada.program.get("/api/object_info/LoadImage")).json()
    unknown = await known.ada.program.get("/api/object_info/No%2FSuch")

    assert set(one) == {"LoadImage"}
    assert one["LoadImage"]["fireside_workers"] == ["builtin"]
    assert one["LoadImage"]["input"]["required"]["image"][0] == ["hers.png"]
    assert (unknown.status_code, unknown.json()) == (200, {})


async def test_a_node_with_a_slash_in_its_name_can_be_asked_for(house: House) -> None:
    await publish(house, b'{"a/b": {"input": {"required": {}}, "output": [], "name": "a/b"}}')

    assert set((await house.ada.program.get("/api/object_info/a%2Fb")).json()) == {"a/b"}


async def test_before_any_worker_was_there_the_nodes_are_not_known_yet(house: House) -> None:
    answer = await house.ada.program.get("/api/object_info")

    assert (answer.status_code, answer.json()["code"]) == (503, "no_definitions")
    assert int(answer.headers["retry-after"]) > 0


async def test_what_was_written_is_kept_and_not_without_end() -> None:
    catalogue, object_info = Catalogue(), msgspec.json.decode(DEFINITIONS)
    tags = [await catalogue.tag(object_info, [f"{number}.png"]) for number in range(20)]
    first = await catalogue.written(tags[0], object_info, ["0.png"])
    assert await catalogue.written(tags[0], object_info, ["0.png"]) is first

    for number, tag in enumerate(tags):
        await catalogue.written(tag, object_info, [f"{number}.png"])

    assert len(set(tags)) == 20
    assert await catalogue.written(tags[0], object_info, ["0.png"]) is not first


async def test_anybody_may_ask_for_the_features(house: House) -> None:
    for caller in (house.stranger, house.ada.program):
        answer = await caller.get("/api/features")
        assert answer.status_code == 200
        assert answer.json()["supports_preview_metadata"] is True
        assert answer.json()["max_upload_size"] == house.services.config.max_upload_bytes
        assert "supports_progress_text_metadata" not in answer.json()


def worker(name: str, age: int = 0, **more: Any) -> Worker:
    system = {
        "os": "linux", "python_version": "3.12.1", "embedded_python": False, "comfyui_version": f"0.{age}",
        "pytorch_version": "2.7", "argv": ["main.py", "--listen", "host-7"], "ram_total": 100 + age, "ram_free": 50.5,
        "hostname": "host-7",
    }  # fmt: skip
    device = {
        "name": "cuda:0 H100",
        "type": "cuda",
        "index": 0,
        "vram_total": 80 + age,
        "vram_free": 40,
        "uuid": "GPU-1",
    }
    return Worker(
        id=WorkerId(name),
        boot_id="b",
        runtime="comfyui",
        version="1",
        definitions_hash="h",
        joined_at=NOW - timedelta(hours=age),
        system=more.get("system", system),
        devices=more.get("devices", (device,)),
    )


async def test_anybody_may_ask_for_the_machines_and_all_fields_are_there(house: House) -> None:
    answer = await house.stranger.get("/api/system_stats")

    assert answer.status_code == 200
    types = {key: type(value) for key, value in answer.json()["system"].items()}
    assert types == {
        "os": str, "python_version": str, "embedded_python": bool, "comfyui_version": str, "pytorch_version": str,
        "argv": list, "ram_total": int, "ram_free": int,
    }  # fmt: skip
    assert answer.json()["devices"] == []


async def test_workers_that_have_gone_are_not_shown(house: House) -> None:
    await house.services.store.save_worker(worker("gone"))

    assert (await house.stranger.get("/api/system_stats")).json()["devices"] == []


def test_the_machines_are_those_of_the_newest_worker_and_the_largest() -> None:
    shown = system_stats([worker("old", age=5), worker("new", age=1)])

    assert (shown.system.comfyui_version, shown.system.ram_total, shown.system.ram_free) == ("0.1", 105, 50)
    (device,) = shown.devices
    assert (device.name, device.type, device.vram_total) == ("cuda:0 H100", "cuda", 85)


def test_nothing_is_shown_that_tells_hosts_commands_or_how_many_there_are() -> None:
    one = msgspec.json.encode(system_stats([worker("w1")]))
    many = msgspec.json.encode(system_stats(worker(f"w{number}") for number in range(100)))

    assert one == many
    for secret in (b"host-7", b"main.py", b"GPU-1", b"w1"):
        assert secret not in one


@pytest.mark.parametrize(
    "odd",
    [
        {"system": {}, "devices": ()},
        {"system": {"os": None, "ram_total": "much"}, "devices": ({}, {"name": 5, "type": "cpu"})},
        {"system": {"argv": "x"}, "devices": ({"name": "x", "type": "cpu", "vram_total": None},)},
    ],
    ids=str,
)
def test_whatever_a_worker_says_of_itself_the_shape_holds(odd: dict[str, Any]) -> None:
    shown = msgspec.json.decode(msgspec.json.encode(system_stats([worker("odd", **odd)])))

    assert len(shown["system"]) == 8
    assert all({"name", "type", "index"} == set(device) for device in shown["devices"])


async def test_the_caller_is_told_who_they_are(house: House) -> None:
    hers = await house.ada.program.get("/api/user")
    his = await house.bob.browser.get("/api/user")

    assert hers.json() == {"status": "active", "id": str(house.ada.user.id)}
    assert his.json() == {"status": "active", "id": str(house.bob.user.id)}


@pytest.mark.parametrize("path", ["/api/object_info", "/api/object_info/LoadImage", "/api/user"])
async def test_the_rest_needs_a_caller(house: House, path: str) -> None:
    for headers in ({}, {"X-API-Key": "nonsense"}):
        answer = await house.stranger.get(path, headers=headers)
        assert answer.status_code == 401
        assert {type(answer.json()[key]) for key in ("code", "message")} == {str}
