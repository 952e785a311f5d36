"""ComfyUI's own workflows through a whole server: the bytes that come out are those that ComfyUI gives by itself."""

import json
import math
import random
import struct
import wave
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.comfyui import workflows
from tests.comfyui.both import Both, Fireside
from tests.comfyui.workflows import SAME_ON_BOTH
from tests.conftest import MakeServer
from tests.runtimes.beside.real_comfyui import Refused, running_comfyui

pytestmark = [pytest.mark.timeout(600), pytest.mark.once]

EXTRA_DATA = {"extra_pnginfo": {"workflow": {"nodes": [{"id": 9, "title": "Glut für Zoë"}], "version": 0.4}}}
NODE_PACKS = Path(__file__).parents[1] / "runtimes" / "comfyui" / "node_packs"


@pytest.fixture(scope="module")
def both(
    make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory, comfyui_dir: Path, comfyui_python: Path
) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("workflows")
    packs = folder / "packs.yaml"
    packs.write_text(f"exam:\n  custom_nodes: {json.dumps(str(NODE_PACKS))}\n")
    options = (
        f"--comfyui-dir={comfyui_dir}", f"--comfyui-python={comfyui_python}", f"--comfyui-model-paths={packs}",
        "--gpus=cpu", "--comfyui-arguments=--disable-api-nodes", "--comfyui-preview-method=latent2rgb",
    )  # fmt: skip
    with (
        one_thread_each(),
        running_comfyui(
            comfyui_dir,
            comfyui_python,
            folder,
            folder / "input",
            (f"--extra-model-paths-config={packs}", "--disable-api-nodes"),
        ) as comfyui,
        make_server(folder / "data", *options) as server,
        server.watch(server.key_of("admin")) as socket,
    ):
        both = Both(Fireside(server, socket), comfyui)
        bring_inputs(both)
        yield both
        assert server.stop() == 0


@contextmanager
def one_thread_each() -> Generator[None]:
    """Let the two not fight for the processor; they inherit this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture
def fireside(both: Both) -> Fireside:
    return both.fireside


def bring_inputs(both: Both) -> None:
    """Upload what the workflows read, the mask over the picture that is there already."""
    photo = both.upload("image", "photo.png", png(painted("RGB")))
    hole = painted("RGBA")
    hole.putalpha(Image.radial_gradient("L").resize(hole.size))
    both.upload("mask", "masked.png", png(hole), original_ref=json.dumps({**photo, "filename": photo["name"]}))
    both.upload("image", "tone.wav", tone())


def painted(mode: str) -> Image.Image:
    return Image.effect_mandelbrot((64, 48), (-2.0, -1.2, 1.0, 1.2), 50).convert(mode)


def png(picture: Image.Image) -> bytes:
    """Encode it, with texts as ComfyUI writes them."""
    buffer, texts = BytesIO(), PngInfo()
    texts.add_text("prompt", json.dumps(workflows.text_to_image()))
    texts.add_text("title", "猫")
    texts.add_text("author", "Zoë")
    picture.save(buffer, "PNG", pnginfo=texts)
    return buffer.getvalue()


def tone(hertz: int = 440, rate: int = 16000) -> bytes:
    """Half a second of sound, in the rate that Opus takes as it is."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        heights = (int(12000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(rate // 2))
        written.writeframes(b"".join(struct.pack("<h", height) for height in heights))
    return buffer.getvalue()


@pytest.mark.parametrize("make", SAME_ON_BOTH, ids=lambda make: make.__name__)
def test_a_workflow_gives_the_bytes_that_comfyui_gives(both: Both, make: Callable[[], Mapping[str, Any]]) -> None:
    ours, theirs = both.run(make(), **EXTRA_DATA)

    assert ours == theirs
    assert ours


def test_a_picture_tells_the_graph_and_the_workflow_it_was_made_by(fireside: Fireside) -> None:
    graph = workflows.text_to_image(seed=2)
    job = fireside.submit(graph, **EXTRA_DATA)
    assert fireside.follow(job).end[0] == "execution_success"

    (item,) = fireside.job(job)["outputs"]["9"]["images"]
    with Image.open(BytesIO(fireside.download(item))) as picture:
        texts = {name: json.loads(text) for name, text in picture.info.items()}

    assert texts == {"prompt": graph, **EXTRA_DATA["extra_pnginfo"]}


def test_a_latent_is_saved_and_read_again(both: Both) -> None:
    ours, theirs = both.run(workflows.saved_latent(), **EXTRA_DATA)
    assert ours == theirs

    (job, *_) = both.fireside.http.get("/api/jobs").json()["jobs"]
    (item,) = both.fireside.job(job["id"])["outputs"]["9"]["latents"]
    both.upload("image", "noise.latent", both.fireside.download(item))
    ours, theirs = both.run(workflows.loaded_latent(), **EXTRA_DATA)

    assert ours == theirs
    assert ours


def test_an_identical_submit_gives_the_outputs_again_and_names_what_was_kept(fireside: Fireside) -> None:
    graph = workflows.text_to_image(seed=3)
    first, second = fireside.submit(graph), fireside.submit(graph)
    fireside.follow(first)

    heard = fireside.follow(second)

    assert heard.end[0] == "execution_success"
    assert {"3", "4", "6", "7", "8"} <= {node_id for said in heard.of("execution_cached") for node_id in said["nodes"]}
    assert "3" not in {said["node"] for said in heard.of("executing")}
    assert fireside.made_by(second) == fireside.made_by(first)
    assert fireside.made_by(second)["9.images"]


def test_previews_arrive_while_a_picture_is_sampled(fireside: Fireside) -> None:
    with fireside.server.watch(fireside.http.headers["X-API-Key"], "plain") as socket:
        heard = fireside.follow(fireside.submit(workflows.text_to_image(seed=4, steps=30)), socket)

    assert heard.frames
    for frame in heard.frames:
        assert struct.unpack_from(">II", frame) == (1, 1)
        with Image.open(BytesIO(frame[8:])) as picture:
            assert (picture.format, max(picture.size) <= 512) == ("JPEG", True)


def test_previews_say_whose_they_are_to_a_client_that_can_read_it(fireside: Fireside) -> None:
    with fireside.server.watch(fireside.http.headers["X-API-Key"], "reader") as socket:
        socket.send(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        job = fireside.submit(workflows.text_to_image(seed=5, steps=30))
        heard = fireside.follow(job, socket)

    assert heard.frames
    for frame in heard.frames:
        kind, length = struct.unpack_from(">II", frame)
        described = json.loads(frame[8 : 8 + length])
        assert kind == 4
        assert (described["prompt_id"], described["node_id"], described["image_type"]) == (job, "3", "image/jpeg")
        with Image.open(BytesIO(frame[8 + length :])) as picture:
            assert picture.format == "JPEG"


def test_pictures_that_a_node_sends_over_the_websocket_arrive_whole(fireside: Fireside) -> None:
    with fireside.server.watch(fireside.http.headers["X-API-Key"], "pictures") as socket:
        heard = fireside.follow(fireside.submit(workflows.sent_pictures()), socket)

    assert heard.end[0] == "execution_success"
    assert [struct.unpack_from(">II", frame) for frame in heard.frames] == [(1, 2)] * 12
    for frame in heard.frames:
        with Image.open(BytesIO(frame[8:])) as picture:
            assert picture.convert("RGB").tobytes() == painted("RGB").tobytes()


def test_a_picture_that_is_larger_than_a_message_of_the_bus_arrives_whole(fireside: Fireside) -> None:
    noise = Image.frombytes("RGB", (1024, 1024), random.Random(1).randbytes(3 << 20))
    sent = {"image": ("large.png", png(noise), "image/png")}
    name = fireside.http.post("/api/upload/image", files=sent).raise_for_status().json()["name"]

    with fireside.server.watch(fireside.http.headers["X-API-Key"], "large") as socket:
        heard = fireside.follow(fireside.submit(workflows.sent_picture(name)), socket)

    assert heard.end[0] == "execution_success"
    (frame,) = heard.frames
    with Image.open(BytesIO(frame[8:])) as picture:
        assert picture.convert("RGB").tobytes() == noise.tobytes()


def test_a_node_that_fails_shows_what_comfyui_says_of_it(both: Both) -> None:
    job = both.fireside.submit(workflows.failing())
    kind, ours = both.fireside.follow(job).end
    messages = dict(both.comfyui.wait(both.comfyui.submit(workflows.failing()))["status"]["messages"])

    told = ("node_id", "node_type", "exception_type", "exception_message", "traceback")
    assert kind == "execution_error"
    assert {name: ours[name] for name in told} == {name: messages[kind][name] for name in told}
    assert "as it was told" in str(both.fireside.job(job)["execution_error"])


def test_a_graph_that_comfyui_refuses_is_refused_with_its_words(both: Both, refused: dict[str, Any]) -> None:
    with pytest.raises(Refused) as theirs:
        both.comfyui.submit(refused)

    answer = both.fireside.http.post("/api/prompt", json={"prompt": refused})

    assert answer.status_code == 400
    assert answer.json()["error"] == theirs.value.error
    assert answer.json()["node_errors"] == theirs.value.node_errors


@pytest.fixture(
    params=[
        {"3.steps": 0},
        {"3.sampler_name": "guess"},
        {"3.cfg": "much"},
        {"3.model": ["4", 1]},
        {"4.ckpt_name": "missing.ckpt", "5.width": 7},
        {"8.samples": None},
        {"9": {"class_type": "FiresidePicky", "inputs": {"number": 3}}},
    ],
    ids=str,
)
def refused(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A workflow of which one thing is wrong."""
    graph: dict[str, Any] = workflows.text_to_image()
    for path, value in request.param.items():
        node_id, _, name = path.partition(".")
        if not name:
            graph[node_id] = value
        elif value is None:
            del graph[node_id]["inputs"][name]
        else:
            graph[node_id]["inputs"][name] = value
    return graph
