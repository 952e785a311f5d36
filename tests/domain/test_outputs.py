from typing import Any

import pytest

from fireside.domain.outputs import Media, normalize_outputs, summarize_outputs

IMAGE = {"filename": "a.png", "subfolder": "", "type": "output"}
TEMP = {"filename": "t.png", "subfolder": "", "type": "temp"}


@pytest.mark.statement(44)
def test_an_output_image_is_preferred_to_an_earlier_temporary_one() -> None:
    preview = summarize_outputs({"1": {"images": [TEMP]}, "2": {"images": [IMAGE]}}).preview
    assert preview == {"mediaType": "images", **IMAGE, "nodeId": "2"}


@pytest.mark.statement(45)
@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_text_never_beats_a_picture(order: tuple[str, str]) -> None:
    nodes: dict[str, Any] = {"1": {"text": ["hello"]}, "2": {"images": [TEMP]}}
    preview = summarize_outputs({node: nodes[node] for node in order}).preview
    assert preview is not None
    assert preview["nodeId"] == "2"


@pytest.mark.statement(46)
def test_long_text_is_cut_and_says_so() -> None:
    summary = summarize_outputs({"7": {"text": ["x" * 1025]}})
    assert summary.preview == {"content": "x" * 1024, "nodeId": "7", "mediaType": "text", "truncated": True}
    assert summary.outputs_count == 0


def test_short_text_does_not_say_it_was_cut() -> None:
    assert summarize_outputs({"7": {"text": ["x"]}}).preview == {"content": "x", "nodeId": "7", "mediaType": "text"}


@pytest.mark.statement(47)
def test_the_name_of_a_model_file_counts_and_previews_as_3d() -> None:
    summary = summarize_outputs({"1": {"result": ["mesh.GLB"]}})
    assert summary.outputs_count == 1
    assert summary.media is Media.MODEL
    assert summary.preview == {
        "filename": "mesh.GLB", "subfolder": "", "type": "output", "mediaType": "3d", "nodeId": "1",
    }  # fmt: skip


@pytest.mark.statement(48)
def test_temporary_and_latent_files_count_and_flags_and_text_do_not() -> None:
    outputs = {"1": {"images": [TEMP], "animated": [False], "latents": [{"filename": "l.latent"}], "text": ["t"]}}
    summary = summarize_outputs(outputs)
    assert (summary.outputs_count, summary.previewable_count) == (2, 1)


@pytest.mark.parametrize(
    ("node", "media"),
    [
        ({"images": [{"filename": "v.mp4"}], "animated": [True]}, Media.VIDEO),
        ({"images": [{"filename": "v.gif"}], "animated": [True]}, Media.VIDEO),
        ({"images": [{"filename": "v.gif"}]}, Media.IMAGE),
        ({"gifs": [{"filename": "x", "format": "video/h264-mp4"}]}, Media.VIDEO),
        ({"audio": [{"filename": "a.flac"}]}, Media.AUDIO),
        ({"images": [{"filename": "a.png"}], "audio": [{"filename": "a.wav"}]}, Media.IMAGE | Media.AUDIO),
        ({"latents": [{"filename": "l.latent"}]}, Media.NONE),
    ],
)
def test_the_kinds_of_media_are_those_of_the_files(node: dict[str, Any], media: Media) -> None:
    assert summarize_outputs({"1": node}).media is media


@pytest.mark.parametrize("outputs", [{}, {"1": None}, {"1": {"images": None}}, {"1": {"images": [None, 3, "x"]}}])
def test_strange_outputs_are_survived(outputs: dict[str, Any]) -> None:
    assert summarize_outputs(outputs).outputs_count == 0


def test_the_detail_turns_model_names_into_files_and_drops_empty_items() -> None:
    normal = normalize_outputs({"1": {"result": ["a.obj", None], "text": ["t"], "animated": [True]}})
    model = {"filename": "a.obj", "subfolder": "", "type": "output", "mediaType": "3d"}
    assert normal == {"1": {"result": [model], "text": ["t"], "animated": [True]}}
