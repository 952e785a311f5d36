"""Settings that are lists, from wherever they come."""

from pathlib import Path
from typing import Any

import pytest

from fireside.cli.background import _as_options
from fireside.config import ConfigError, load_config, pools_of
from fireside.domain.pools import Pool


def test_a_list_of_the_environment_has_commas_or_line_ends_between_its_values(tmp_path: Path) -> None:
    environment = {"FIRESIDE_COMFYUI_DIR": "/a, /b\n/c\n", "FIRESIDE_GPUS": "0,1"}

    config = load_config({"data_dir": str(tmp_path)}, environment)

    assert (config.comfyui_dir, config.gpus) == (("/a", "/b", "/c"), ("0", "1"))


def test_a_list_of_the_file_is_an_array_whose_values_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "fireside.toml").write_text('comfyui_dir = ["/with, comma", "/b"]\nlabel = ["site=home"]\n')

    config = load_config({"data_dir": str(tmp_path)}, {})

    assert (config.comfyui_dir, config.label) == (("/with, comma", "/b"), ("site=home",))


def test_a_flag_that_is_given_again_adds_to_the_list_and_the_list_replaces_others(tmp_path: Path) -> None:
    flags = {"data_dir": str(tmp_path), "gpus": ["0,1", "2"]}

    assert load_config(flags, {"FIRESIDE_GPUS": "7"}).gpus == ("0", "1", "2")


def test_an_empty_text_is_an_empty_list(tmp_path: Path) -> None:
    assert load_config({"data_dir": str(tmp_path)}, {"FIRESIDE_LABEL": ""}).label == ()


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fireside.toml").write_text("gpus = 3\n")

    with pytest.raises(ConfigError, match=r"fireside\.toml: gpus"):
        load_config({"data_dir": str(tmp_path)}, {})


def test_a_server_in_the_background_gets_every_value_of_a_list() -> None:
    flags: dict[str, Any] = {"label": ["a=1", "b=2"], "port": 0}

    assert _as_options(flags) == ["--label=a=1", "--label=b=2", "--port=0"]


@pytest.mark.parametrize(
    ("pools", "problem"),
    [
        (["gpu=8"], r"pools: 'gpu=8' is no pool; it looks like gpu=0\.\.8"),
        (["GPU=0..8"], r"pools: 'GPU=0..8' is no pool"),
        (["gpu=3..2", "none=0..0"], r"(?s)'gpu=3..2' has room for no worker.*'none=0..0' has room for no worker"),
        (["gpu=0..2", "gpu=0..3 size=large"], r"gpu is named twice"),
        (["a=0..2 size=large", "b=0..3 size=large"], r"the workers of b have the labels of another pool's"),
    ],
    ids=["no-limits", "capitals", "no-room", "twice", "same-labels"],
)
def test_pools_that_cannot_be_are_told_with_what_is_wrong(pools: list[str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        pools_of(load_config({"pools": pools}, {}))


def test_pools_are_read_in_order_with_their_labels() -> None:
    found = pools_of(load_config({}, {"FIRESIDE_POOLS": "gpu=0..8 tier=a100 zone=eu, small=1..2"}))

    assert found == [
        Pool(name="gpu", least=0, most=8, labels={"tier": "a100", "zone": "eu"}),
        Pool(name="small", least=1, most=2, labels={"pool": "small"}),
    ]
