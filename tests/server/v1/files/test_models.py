"""The fleet's models, and the nodes and models at ComfyUI's bare paths."""

from typing import Any

import pytest
from tests.publishing import publish
from tests.server.v1.files.house import House, OpenHouse

MODELS = {"vae": {"b.safetensors": 2, "a.safetensors": 1}, "embeddings": {"deep/x.y.pt": 3}, "configs": {"v1.yaml": 4}}


@pytest.fixture
async def known(house: House) -> House:
    await publish(house.services.store, models=MODELS)
    return house


async def get(house: House, path: str, status: int = 200) -> Any:
    answer = await house.ada.program.get(path)
    assert answer.status_code == status
    return answer.json()


async def test_folders_and_files_are_those_of_all_workers(known: House) -> None:
    await publish(known.services.store, worker="other", models={"vae": {"c.safetensors": 3}, "clip": {}})
    await known.services.desk.definitions.refresh()

    folders = await get(known, "/api/experiment/models")

    assert folders == [{"name": name, "folders": [name]} for name in ("clip", "embeddings", "vae")]
    assert await get(known, "/api/experiment/models/vae") == [
        {"name": f"{name}.safetensors", "pathIndex": 0, "size": size} for name, size in (("a", 1), ("b", 2), ("c", 3))
    ]


async def test_folders_that_are_empty_or_unknown_are_not_found(known: House) -> None:
    await publish(known.services.store, worker="other", models={"clip": {}})

    for folder in ("clip", "nothing"):
        assert set(await get(known, f"/api/experiment/models/{folder}", 404)) == {"code", "message", "error"}


async def test_strangers_are_shown_nothing(known: House) -> None:
    for path in ("/api/experiment/models", "/api/experiment/models/vae", "/api/experiment/models/nothing"):
        answer = await known.stranger.get(path)
        assert (answer.status_code, answer.json()) == (200, [])


async def test_strangers_are_shown_the_models_where_the_setting_says_so(open_house: OpenHouse) -> None:
    known = await open_house(v1_public_models=True)
    await publish(known.services.store, models=MODELS)

    assert len((await known.stranger.get("/api/experiment/models")).json()) == 2
    assert len((await known.stranger.get("/api/experiment/models/vae")).json()) == 2


@pytest.mark.parametrize("prefix", ["", "/api"])
async def test_the_older_lists_are_names_alone(known: House, prefix: str) -> None:
    assert await get(known, f"{prefix}/models") == ["configs", "embeddings", "vae"]
    assert await get(known, f"{prefix}/models/vae") == ["a.safetensors", "b.safetensors"]
    assert await get(known, f"{prefix}/embeddings") == ["deep/x.y"]
    await get(known, f"{prefix}/models/nothing", 404)


async def test_before_any_worker_was_there_the_lists_are_empty(house: House) -> None:
    for path in ("/api/experiment/models", "/models", "/embeddings"):
        assert await get(house, path) == []


async def test_nodes_are_described_at_the_bare_path_as_below_api(known: House, picture: bytes) -> None:
    await known.ada.upload(picture, "hers.png")

    for path in ("/object_info", "/object_info/LoadImage", "/object_info/Nothing"):
        bare, below = [await get(known, prefix + path) for prefix in ("", "/api")]
        assert bare == below

    assert (await get(known, "/object_info"))["LoadImage"]["input"]["required"]["image"][0] == ["hers.png"]


@pytest.mark.parametrize("path", ["/object_info", "/object_info/LoadImage", "/models", "/models/vae", "/embeddings"])
async def test_the_bare_paths_need_a_caller(known: House, path: str) -> None:
    assert (await known.stranger.get(path)).status_code == 401
