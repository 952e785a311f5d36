"""Every builtin node beside a real ComfyUI: what it is declared as, which pixels it gives, and how it fails."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PIL.ExifTags import Base
from scripts.differences import documented_rows, table_of
from tests.runtimes.beside.corpus import cases, paint_corpus
from tests.runtimes.beside.differences import Ours, Row, compare, failure_of, pixels_of, shown_in, texts_in
from tests.runtimes.beside.edges import REFUSED, RUN
from tests.runtimes.beside.real_comfyui import RealComfyUI, Refused, running_comfyui
from tests.runtimes.beside.sheets import Graph, Sheet, filled_sheets
from tests.runtimes.golden.ask_comfyui import comparable

from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.errors import InvalidGraph
from fireside.graphs.limits import GraphLimits
from fireside.graphs.parse import parse_graph
from fireside.graphs.validate import validate_graph
from fireside.runtimes.builtin.definitions import definitions_of
from fireside.runtimes.builtin.nodes import NODES

LIMITS = GraphLimits(max_nodes=1000, max_depth=32)
WORKFLOW = {"workflow": {"nodes": [], "note": "in Zürich"}, "other": [1, 2.5, None]}
# They show or keep, and are compared by their files.
OUTPUTS = {name for name, node in NODES.items() if node.is_output}
# Whose last bits depend on the instructions that Intel's library chooses.
OF_THE_PROCESSOR = {"ImageBlur", "ImageSharpen"}
DEMOS = {name for name in NODES if name.startswith("Fireside")}


@dataclass
class Both:
    comfyui: RealComfyUI
    ours: Ours
    inputs: Mapping[str, Path]


@pytest.fixture(scope="module")
def both(comfyui_dir: Path, comfyui_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("beside")
    (folder / "inputs").mkdir()
    inputs = paint_corpus(folder / "inputs")
    with (
        running_comfyui(comfyui_dir, comfyui_python, folder / "comfyui", folder / "inputs") as comfyui,
        Ours(folder / "ours") as ours,
    ):
        yield Both(comfyui, ours, inputs)


@pytest.fixture(scope="module")
def rows(both: Both) -> list[Row]:
    return compare(list(filled_sheets(cases(), nodes=150)), both.comfyui, both.ours, both.inputs)


def test_pixels_differ_no_more_than_the_document_says(rows: list[Row]) -> None:
    documented = {(row.node, row.options): row for row in documented_rows()}

    assert [(row.node, row.options) for row in rows] == list(documented), "run `python -m scripts.differences`"
    allowed = {row.node: 1 if row.node in OF_THE_PROCESSOR else 0 for row in rows}
    assert [row for row in rows if row.largest > allowed[row.node]] == []
    assert [row for row in documented.values() if row.largest > allowed[row.node]] == []


def test_every_node_is_compared(rows: list[Row]) -> None:
    assert {row.node for row in rows} == NODES.keys() - OUTPUTS - DEMOS


def test_nodes_are_declared_byte_for_byte_as_comfyui_does(both: Both) -> None:
    ours, real = json.loads(definitions_of(NODES.values())), both.comfyui.object_info()

    printed = {name: json.dumps(comparable(name, ours[name])) for name in NODES.keys() - DEMOS}

    assert printed == {name: json.dumps(comparable(name, real[name])) for name in printed}


@pytest.mark.parametrize("name", REFUSED)
def test_what_comfyui_refuses_is_refused_with_its_errors(both: Both, name: str) -> None:
    with pytest.raises(Refused) as real:
        both.comfyui.submit(REFUSED[name])
    definitions = NodeDefinitions.parse(definitions_of(NODES.values()))

    with pytest.raises(InvalidGraph) as ours:
        validate_graph(parse_graph(REFUSED[name], LIMITS), definitions, targets=None, known_files=both.inputs.keys())

    assert _errors(ours.value.node_errors) == _errors(real.value.node_errors)


@pytest.mark.parametrize("name", RUN)
def test_odd_values_give_comfyuis_pictures_or_fail_at_its_node(both: Both, name: str) -> None:
    history = both.comfyui.wait(both.comfyui.submit(RUN[name]))

    failure = failure_of(both.ours.events_of(RUN[name], both.inputs))

    failed_at = next(
        (data["node_id"] for kind, data in history["status"]["messages"] if kind == "execution_error"), None
    )
    assert (failure.node_id if failure else None) == failed_at, failure or history["status"]["messages"]
    assert failure is None or not failure.is_breakdown
    if failure is None:
        real = shown_in(both.comfyui, history)
        ours = both.ours.shown_by(RUN[name], both.inputs)
        assert texts_in(ours) == texts_in(real)
        assert _pictures(ours) == _pictures(real)


@pytest.mark.parametrize("source", ["odd.tiff", "wide.tiff", "dot.tiff"])
@pytest.mark.parametrize("channels", ["rgb", "rgba"])
@pytest.mark.parametrize(
    ("saver", "options"),
    [
        ("SaveAnimatedWEBP", {"fps": 6.0, "lossless": True, "quality": 80, "method": "default"}),
        ("SaveAnimatedWEBP", {"fps": 0.5, "lossless": False, "quality": 30, "method": "fastest"}),
        ("SaveAnimatedWEBP", {"fps": 1000.0, "lossless": False, "quality": 100, "method": "slowest"}),
        ("SaveAnimatedPNG", {"fps": 6.0, "compress_level": 4}),
        ("SaveAnimatedPNG", {"fps": 23.976, "compress_level": 0}),
        ("SaveAnimatedPNG", {"fps": 0.01, "compress_level": 9}),
    ],
)
def test_animations_are_comfyuis(both: Both, source: str, channels: str, saver: str, options: dict[str, Any]) -> None:
    sheet = Sheet("animated")
    images = sheet.load(source) if channels == "rgb" else sheet.rgba(source)
    node_id = sheet.add(saver, images=images, filename_prefix="animated/a", **options)[0]

    real = _saved_by(both, sheet.nodes)[1][node_id]
    ours = both.ours.shown_by(sheet.nodes, both.inputs, extra_pnginfo=WORKFLOW)[node_id]

    assert ours.keys() == real.keys()
    assert list(ours["animated"]) == list(real["animated"])
    assert ours["images"][0].name.endswith(real["images"][0].suffix)
    assert _animation(ours["images"][0]) == _animation(real["images"][0])


def test_saved_pictures_embed_what_comfyui_embeds(both: Both) -> None:
    sheet = Sheet("embedded")
    node_id = sheet.save(sheet.load("odd.tiff"))

    real = _saved_by(both, sheet.nodes)[1][node_id]["images"]
    ours = both.ours.shown_by(sheet.nodes, both.inputs, extra_pnginfo=WORKFLOW)[node_id]["images"]

    assert [_texts(path) for path in ours] == [_texts(path) for path in real]


def test_files_of_one_prefix_are_numbered_on_as_in_comfyui(both: Both) -> None:
    sheet = Sheet("numbered")
    image = sheet.load("wide.tiff")
    for saver, options in (
        ("SaveImage", {}),
        ("SaveAnimatedWEBP", {"fps": 6.0, "lossless": True, "quality": 80, "method": "default"}),
        ("SaveAnimatedPNG", {"fps": 6.0, "compress_level": 4}),
    ):
        sheet.add(saver, images=image, filename_prefix="numbered/n%batch_num%", **options)

    real = _saved_by(both, sheet.nodes)[1]
    ours = both.ours.shown_by(sheet.nodes, both.inputs)

    assert _suffixes(ours) == _suffixes(real)
    assert {_number(path) for ui in ours.values() for path in ui["images"]} == {1, 2, 3, 4}


def test_the_table_is_read_as_it_is_printed(rows: list[Row]) -> None:
    printed = table_of(rows)

    assert [(row.node, row.options, row.largest) for row in documented_rows(printed)] == [
        (row.node, row.options, row.largest) for row in rows
    ]


def _errors(node_errors: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    # ComfyUI goes through a node's inputs as a set, in any order.
    return {
        node_id: sorted((error["type"], error["details"]) for error in entry["errors"])
        for node_id, entry in node_errors.items()
    }


def _saved_by(both: Both, graph: Graph) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    prompt_id = both.comfyui.submit(graph, extra_pnginfo=WORKFLOW)
    return prompt_id, shown_in(both.comfyui, both.comfyui.wait(prompt_id))


def _pictures(shown: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {node_id: [pixels_of(path).tolist() for path in ui.get("images", ())] for node_id, ui in shown.items()}


def _animation(path: Path) -> dict[str, Any]:
    """Frames, durations, loop and what is embedded."""
    with Image.open(path) as picture:
        exif = {Base(tag).name: _embedded(*text.split(":", 1)) for tag, text in picture.getexif().items()}
        loop = picture.info.get("loop")
        frames = [
            (frame.info.get("duration"), frame.mode, np.asarray(frame).tolist())
            for frame in ImageSequence.Iterator(picture)
        ]
    return {"frames": frames, "loop": loop, "exif": exif, "chunks": _chunks(path)}


def _chunks(path: Path) -> list[tuple[str, Any]]:
    """ComfyUI's own chunks of a PNG file, read by hand because Pillow passes them over."""
    data, found, place = path.read_bytes(), list[tuple[str, Any]](), 8
    while path.suffix == ".png" and place < len(data):
        length, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        if kind == b"comf":
            key, text = data[place + 8 : place + 8 + length].split(b"\0", 1)
            found.append(_embedded(key.decode("latin-1"), text.decode("latin-1")))
        place += length + 12
    return found


def _texts(path: Path) -> dict[str, Any]:
    with Image.open(path) as picture:
        return dict(_embedded(key, text) for key, text in picture.text.items())  # pyright: ignore[reportAttributeAccessIssue] - a PNG file's


def _embedded(key: str, text: str) -> tuple[str, str]:
    """Leave out what ComfyUI notes in the graph while it runs: a hash of each file that is loaded."""
    if key != "prompt":
        return key, text
    graph = json.loads(text)
    for entry in graph.values():
        entry.pop("is_changed", None)
    return key, json.dumps(graph)


def _suffixes(shown: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    return {node_id: [path.name.split("_")[0] + path.suffix for path in ui["images"]] for node_id, ui in shown.items()}


def _number(path: Path) -> int:
    return int(path.stem.split("_")[-2])
