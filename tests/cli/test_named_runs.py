"""`fireside run NAME`: workflows that are saved on the server, with values from the command line."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.server.v2.saved import DECLARED, api_file

PICTURE = (7, 5)


@pytest.fixture(scope="module")
def saved(data_dir: Path) -> None:
    """A workflow that scales a picture, saved for the admin."""
    transport = httpx.HTTPTransport(uds=os.path.relpath(data_dir / "admin.sock"))
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=90) as admin:
        answer = admin.post("/api/userdata/workflows%2Fscale.json", content=json.dumps(api_file(DECLARED)))
        assert answer.status_code == 200, answer.text


@pytest.fixture
def run(saved: None, fireside: Any, data_dir: Path, tmp_path: Path) -> Callable[..., Any]:
    Image.new("RGB", PICTURE, "red").save(tmp_path / "photo.png")
    return lambda name, *inputs: fireside("run", name, *(f"--input={one}" for one in inputs), f"--data-dir={data_dir}")


def test_a_saved_workflow_runs_by_its_name_with_files_and_values(run: Any, tmp_path: Path) -> None:
    answer = run("scale", "photo=photo.png", "width=3", "method=area", "prefix=1")

    assert answer.returncode == 0, answer.stderr
    assert "job " in answer.stderr
    result = Path(answer.stdout.strip())
    assert result.name.startswith("1_")
    with Image.open(tmp_path / result) as picture:
        assert picture.size == (3, 8)


@pytest.mark.parametrize(
    ("name", "inputs", "code", "words"),
    [
        ("scale", ["widths=3"], 2, "did you mean 'width'?"),
        ("scale", ["nothing=3"], 2, "it takes photo, width, method, prefix"),
        ("scale", ["width"], 2, "NAME=VALUE"),
        ("scale", ["photo=none.png", "width=wide"], 1, "'width' is an integer"),
        ("scale", ["photo=none.png", "width=3"], 1, "'photo' names no file of yours"),
        ("scal", [], 1, "did you mean 'scale'?"),
    ],
)
def test_a_mistake_is_one_line_that_helps(run: Any, name: str, inputs: list[str], code: int, words: str) -> None:
    answer = run(name, *inputs)

    assert (answer.returncode, answer.stdout) == (code, "")
    assert words in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_nodes_of_a_saved_workflow_are_not_set(fireside: Any) -> None:
    answer = fireside("run", "scale", "--set=2.width=3")

    assert answer.returncode == 2
    assert "--input NAME=VALUE" in answer.stderr
