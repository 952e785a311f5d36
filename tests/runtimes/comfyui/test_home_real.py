"""A real ComfyUI on the CPU, started once for all of these."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from PIL import Image
from tests.runtimes.comfyui.refusing_pack import COMMIT, EXAMPLE, METADATA, SUBGRAPH, TRANSLATED, VERSION, write_packs
from tests.runtimes.comfyui.standin import launch_of, make_standin
from tests.runtimes.comfyui.waiting import SECONDS, until

from fireside.processes.leftovers import start_time
from fireside.runtimes.base import ModelFile, NodeRefusal, RuntimeInfo, RuntimeStartError, Subgraph
from fireside.runtimes.comfyui.attached import AttachedHome
from fireside.runtimes.comfyui.checking import check, free
from fireside.runtimes.comfyui.info import read_info
from fireside.runtimes.comfyui.launch import Launch
from fireside.runtimes.comfyui.model_details import read_metadata, read_preview
from fireside.runtimes.comfyui.staging import FileHashes, LocalPlace
from fireside.runtimes.comfyui.supervised import SupervisedHome

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
ROUTES = [
    *(("GET", name) for name in ("hello", "object_info", "validators", "models", "snapshot")),
    *(("POST", name) for name in ("check", "free")),
]


@dataclass(frozen=True, kw_only=True)
class Real:
    """A running ComfyUI, what it said of itself at first, and the folder around it."""

    home: SupervisedHome
    info: RuntimeInfo
    folder: Path
    comfyui: Path
    python: Path
    files_before: set[str]


def files_of(comfyui: Path) -> set[str]:
    return {str(path) for path in comfyui.rglob("*") if "__pycache__" not in path.parts}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real(
    comfyui_dir: Path, comfyui_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Real]:
    folder = tmp_path_factory.mktemp("real")
    before = files_of(comfyui_dir)
    launch = Launch(
        comfyui_dir=comfyui_dir, python=comfyui_python, device="cpu", extra_model_paths=(write_packs(folder),)
    )
    home = SupervisedHome(launch, folder / "worker", start_seconds=180.0, stop_seconds=20.0)
    await home.start()
    yield Real(
        home=home,
        info=await read_info(home),
        folder=folder,
        comfyui=comfyui_dir,
        python=comfyui_python,
        files_before=before,
    )
    await home.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def hanging(real: Real) -> AsyncIterator[None]:
    """The validator of `Even` hangs at 600 as long as the test runs."""
    (real.folder / "hang").touch()
    yield
    (real.folder / "hang").unlink()
    async with asyncio.timeout(SECONDS):
        while not await is_checking(real.home):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def is_checking(home: SupervisedHome) -> bool:
    checks = [check(home, {"1": even(2)}, ["1"]) for _ in range(8)]
    return await asyncio.gather(*checks, return_exceptions=True) == [{}] * 8


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def even(number: int, **inputs: Any) -> dict[str, Any]:
    return node("Even", number=number, limit=9, **inputs)


async def test_it_runs_with_the_bridge_and_folders_of_its_own(real: Real) -> None:
    assert real.home.is_alive
    assert real.home.bridge_headers is not None
    assert real.home.folders is not None
    assert real.home.folders.temp.is_dir()
    assert "fireside_bridge" in real.home.log_tail(200)


async def test_nothing_is_written_into_the_users_comfyui(real: Real) -> None:
    assert files_of(real.comfyui) == real.files_before


async def test_its_definitions_are_those_of_comfyui(real: Real) -> None:
    definitions = msgspec.json.decode(real.info.definitions)
    assert definitions["KSampler"]["output"] == ["LATENT"]
    assert list(definitions) == sorted(definitions)
    assert {"Even", "Short"} <= set(definitions)


async def test_what_it_is_is_whole_also_while_its_folders_are_emptied_after_a_run(real: Real) -> None:
    folders = real.home.folders
    assert folders is not None
    (folders.output / "checkpoints").mkdir(exist_ok=True)
    place = LocalPlace(folders, FileHashes())

    async def empty_them() -> None:
        while True:
            await place.clean()
            await asyncio.sleep(0)

    emptying = asyncio.create_task(empty_them())
    infos = await asyncio.gather(read_info(real.home), read_info(real.home))
    emptying.cancel()

    # A class that fails to describe itself is left out by ComfyUI.
    classes = msgspec.json.decode(real.info.definitions).keys()
    assert [msgspec.json.decode(info.definitions).keys() for info in infos] == [classes] * 2


async def test_definitions_do_not_depend_on_the_files_and_folders_of_jobs(real: Real) -> None:
    assert real.home.folders is not None
    before = await read_info(real.home)
    staged = real.home.folders.input / "job"
    staged.mkdir()
    (staged / "secret.png").touch()
    (real.home.folders.input / "secret.png").touch()
    again = await read_info(real.home)
    assert again.definitions == before.definitions
    assert b"secret" not in again.definitions
    assert str(real.folder).encode() not in again.definitions


async def test_its_models_are_told_with_sizes_from_all_paths(real: Real) -> None:
    extra = ModelFile(name="sub/extra.safetensors", size_bytes=1000)
    assert extra in real.info.models["checkpoints"]
    assert all(file.size_bytes > 0 for file in real.info.models["checkpoints"])
    assert "custom_nodes" not in real.info.models


async def test_a_model_that_comes_later_is_told_by_the_next_reading(real: Real) -> None:
    (real.folder / "models" / "checkpoints" / "later.ckpt").write_bytes(b"12345")
    again = await read_info(real.home)
    assert ModelFile(name="later.ckpt", size_bytes=5) in again.models["checkpoints"]
    assert b"later.ckpt" in again.definitions


async def test_a_file_that_a_job_saved_is_no_model_of_the_fleet(real: Real) -> None:
    assert real.home.folders is not None
    saved = real.home.folders.output / "checkpoints" / "mine.safetensors"
    saved.parent.mkdir(exist_ok=True)
    saved.touch()
    again = await read_info(real.home)
    saved.unlink()
    assert "mine.safetensors" not in [file.name for file in again.models["checkpoints"]]


async def test_what_is_written_in_a_model_and_the_picture_beside_it_are_told(real: Real) -> None:
    metadata = await read_metadata(real.home, "checkpoints", "sub/described.safetensors")
    preview = await read_preview(real.home, "checkpoints", "sub/described.safetensors")

    assert metadata is not None
    assert msgspec.json.decode(metadata) == METADATA
    assert preview is not None
    with Image.open(BytesIO(preview)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (900, 600))


@pytest.mark.parametrize("name", ["sub/extra.safetensors", "tiny_sd15.ckpt", "no such", "../../x.safetensors"])
async def test_a_model_with_nothing_to_tell_is_none(real: Real, name: str) -> None:
    assert await read_metadata(real.home, "checkpoints", name) is None
    assert await read_preview(real.home, "checkpoints", name) is None


async def test_blueprints_of_node_packs_are_told_with_what_is_in_them(real: Real) -> None:
    told = [one for one in real.info.subgraphs if one.node_pack == "custom_nodes.refusing"]
    assert told == [Subgraph(node_pack="custom_nodes.refusing", name="Upscale", data=SUBGRAPH)]


async def test_translations_and_example_workflows_of_node_packs_are_told(real: Real) -> None:
    told = {one.file: one.content for one in real.info.templates if one.node_pack == "refusing"}

    assert set(told) == {"First steps.json", "First steps.jpg"}
    assert told["First steps.json"] == EXAMPLE.encode()
    assert told["First steps.jpg"].startswith(b"\xff\xd8")
    assert real.info.translations["de"]["nodeDefs"] == TRANSLATED


async def test_its_system_and_devices_are_told_without_its_command_line(real: Real) -> None:
    assert real.info.version == real.info.system["comfyui_version"]
    assert real.info.devices[0]["type"] == "cpu"
    assert "argv" not in real.info.system


async def test_its_snapshot_names_packs_with_commits_and_packages(real: Real) -> None:
    packs = {pack["name"]: pack for pack in real.info.snapshot["custom_nodes"]}
    assert packs["refusing"] == {
        "name": "refusing",
        "version": VERSION,
        "commit": COMMIT,
        "origin": "https://example.org/us/refusing.git",
    }
    assert packs["broken"] == {"name": "broken", "failed": True}
    assert "fireside_bridge" not in packs
    assert real.info.snapshot["comfyui"]["version"] == real.info.version
    assert real.info.snapshot["packages"]["torch"]


async def test_classes_with_validators_that_look_at_more_than_files_are_named(real: Real) -> None:
    assert {"Even", "Short"} <= set(real.info.validators)
    assert not {"FileOnly", "LoadImage", "Plain", "KSampler"} & set(real.info.validators)


async def test_a_nodes_own_refusal_is_told_in_comfyuis_words(real: Real) -> None:
    refused = await check(real.home, {"1": even(3), "2": even(4), "3": node("Short", word="abcdefg")}, ["1", "2", "3"])
    assert refused == {
        "1": (
            NodeRefusal(
                type="custom_validation_failed",
                message="Custom validation failed for node",
                details="number - 3 is odd",
                input_name="number",
            ),
        ),
        "3": (
            NodeRefusal(
                type="custom_validation_failed",
                message="Custom validation failed for node",
                details="word - too long",
                input_name="word",
            ),
        ),
    }


async def test_only_the_nodes_in_question_are_looked_at(real: Real) -> None:
    graph = {
        "1": even(3),
        "2": even(4, whole=["1", 0]),
        "3": even(2, picture=["4", 0]),
        "4": node("LoadImage", image="x.png"),
    }
    assert await check(real.home, graph, ["2", "3", "nobody"]) == {}


@pytest.mark.parametrize("number", [2, 6, 8])
async def test_a_file_that_is_not_here_yet_is_no_reason_to_refuse(real: Real, number: int) -> None:
    assert await check(real.home, {"1": even(number, image="coming.png")}, ["1"]) == {}
    assert await check(real.home, {"1": node("LoadImage", image="coming.png")}, ["1"]) == {}


async def test_a_node_with_a_file_is_refused_for_what_is_wrong_beside_it(real: Real) -> None:
    refused = await check(real.home, {"1": even(3, image="coming.png")}, ["1"])
    assert [refusal.details for refusal in refused["1"]] == ["number - 3 is odd", "image - 3 is odd"]


async def test_a_check_changes_nothing_for_comfyuis_own_validation(real: Real) -> None:
    await check(real.home, {"1": node("FileOnly", image="coming.png")}, ["1"])
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{real.home.url}/prompt", json={"prompt": {"1": node("FileOnly", image="coming.png")}}
        )
    assert answer.status_code == 400
    assert "Invalid image file: coming.png" in answer.text


async def test_a_validator_that_breaks_is_a_refusal_as_in_comfyui(real: Real) -> None:
    refused = await check(real.home, {"1": even(666)}, ["1"])
    assert [(refusal.type, refusal.details) for refusal in refused["1"]] == [
        ("exception_during_validation", "this number is cursed")
    ]


@pytest.mark.usefixtures("hanging")
async def test_a_validator_that_hangs_keeps_nobody_waiting(real: Real) -> None:
    with pytest.raises(TimeoutError):
        await check(real.home, {"1": even(600)}, ["1"], seconds=0.5)
    assert await check(real.home, {"1": even(2)}, ["1"]) == {}


@pytest.mark.usefixtures("hanging")
async def test_validators_that_hang_keep_none_but_other_checks_waiting(real: Real) -> None:
    stuck = [check(real.home, {"1": even(600)}, ["1"], seconds=0.5) for _ in range(9)]
    late = await asyncio.gather(*stuck, return_exceptions=True)
    assert [type(error) for error in late] == [TimeoutError] * 9
    with pytest.raises(TimeoutError):
        await check(real.home, {"1": even(2)}, ["1"])
    assert "Even" in (await read_info(real.home)).validators


async def test_checks_at_the_same_time_do_not_disturb_each_other(real: Real) -> None:
    graphs = [{"1": even(number, image=f"{number}.png")} for number in range(6)]
    answers = await asyncio.gather(*(check(real.home, graph, ["1"]) for graph in graphs))
    assert [bool(answer) for answer in answers] == [False, True] * 3


@pytest.mark.parametrize(("method", "name"), ROUTES)
@pytest.mark.parametrize("prefix", ["", "/api"])
async def test_the_bridge_answers_only_who_knows_its_token(real: Real, method: str, name: str, prefix: str) -> None:
    async with httpx.AsyncClient(base_url=f"{real.home.url}{prefix}/fireside") as client:
        answers = [
            await client.request(method, f"/{name}", json={}, headers=headers)
            for headers in (
                {},
                {"x-fireside-token": "guessed"},
                {**(real.home.bridge_headers or {}), "origin": real.home.url},
                {**(real.home.bridge_headers or {}), "sec-fetch-site": "same-origin"},
            )
        ]
    assert [answer.status_code for answer in answers] == [403] * 4


async def test_a_body_that_makes_no_sense_is_refused(real: Real) -> None:
    async with httpx.AsyncClient(headers=dict(real.home.bridge_headers or {})) as client:
        url = f"{real.home.url}/fireside/check"
        answers = [await client.post(url, content=body) for body in (b"{", b"[]", b"{}", b'{"seconds":"x"}')]
    assert [answer.status_code for answer in answers] == [400] * 4


async def test_memory_is_freed_before_the_answer(real: Real) -> None:
    async with asyncio.timeout(SECONDS):
        for _ in range(20):
            await free(real.home)


async def test_an_attached_one_is_told_as_far_as_its_own_routes_go(real: Real) -> None:
    attached = AttachedHome(real.home.url)
    await attached.start()
    info = await read_info(attached)
    assert set(msgspec.json.decode(info.definitions)) == set(msgspec.json.decode(real.info.definitions))
    assert ModelFile(name="sub/extra.safetensors", size_bytes=1000) in info.models["checkpoints"]
    assert info.snapshot["comfyui"] == {"version": real.info.version}
    assert {"name": "refusing"} in info.snapshot["custom_nodes"]
    assert await check(attached, {"1": even(3)}, ["1"]) == {}
    await free(attached)


async def test_something_else_than_comfyui_is_not_taken_for_one(tmp_path: Path) -> None:
    home = SupervisedHome(launch_of(make_standin(tmp_path / "standin")), tmp_path / "worker")
    await home.start()
    with pytest.raises(RuntimeStartError, match="did not say what it is"):
        await read_info(home)
    await home.stop()


async def test_a_killed_comfyui_comes_back(real: Real) -> None:
    pid = real.home.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: start_time(pid) is None)
    await asyncio.wait_for(real.home.start(), SECONDS)
    assert real.home.pid != pid
    assert await check(real.home, {"1": even(2)}, ["1"]) == {}


async def test_two_of_one_folder_do_not_disturb_each_other_and_are_of_one_kind(real: Real) -> None:
    launch = Launch(
        comfyui_dir=real.comfyui, python=real.python, device="cpu", extra_model_paths=(real.folder / "extra.yaml",)
    )
    second = SupervisedHome(launch, real.folder / "second", start_seconds=180.0)
    await second.start()
    first_info, second_info = await read_info(real.home), await read_info(second)
    await second.stop()
    assert first_info.definitions == second_info.definitions
    assert (first_info.models, first_info.snapshot) == (second_info.models, second_info.snapshot)
    assert real.home.is_alive
