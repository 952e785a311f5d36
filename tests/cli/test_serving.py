"""The commands against a server that runs."""

import json
import re
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.graphs.editor.building import node, wired, workflow

EXAMPLES = Path(__file__).parents[2] / "src" / "fireside" / "examples"


def _server(data_dir: Path) -> dict[str, Any]:
    return json.loads((data_dir / "server.json").read_text())


@pytest.fixture
def key(fireside: Any, data_dir: Path) -> str:
    return fireside("keys", "create", "--user", "admin", f"--data-dir={data_dir}").stdout.strip()


def test_the_first_start_prints_a_key_and_a_link(data_dir: Path) -> None:
    banner = (data_dir / "banner.txt").read_text()

    assert _server(data_dir)["url"] in banner
    assert re.search(r"fsk_[\w-]{43}", banner)
    assert re.search(r"/login/[\w-]{43}", banner)


def test_no_secret_reaches_the_log(data_dir: Path) -> None:
    assert "fsk_" not in (data_dir / "server.log").read_text()


def test_a_workflow_runs_and_its_result_is_saved(fireside: Any, data_dir: Path, tmp_path: Path, key: str) -> None:
    url = _server(data_dir)["url"]
    answer = fireside(
        "run",
        str(EXAMPLES / "soften.json"),
        f"--input=1.image={EXAMPLES / 'cat.png'}",
        "--set=2.width=64",
        "--set=2.height=48",
        "--out=results",
        FIRESIDE_URL=url,
        FIRESIDE_API_KEY=key,
    )

    assert answer.returncode == 0, answer.stderr
    (saved,) = answer.stdout.splitlines()
    assert (tmp_path / saved).parent == tmp_path / "results"
    assert (tmp_path / saved).read_bytes().startswith(b"\x89PNG")


def test_a_workflow_of_the_editors_is_converted_and_embedded(fireside: Any, data_dir: Path, tmp_path: Path) -> None:
    nodes = [
        node(1, "EmptyImage", out=("IMAGE",), values=[8, 8, 1, 0]),
        node(2, "SaveImage", wired("images", "IMAGE", 1)),
    ]
    saved_by_editor = workflow(*nodes, links=[(1, 1, 0, 2, 0, "IMAGE")])
    (tmp_path / "editor.json").write_text(json.dumps(saved_by_editor))

    answer = fireside("run", "editor.json", "--set=1.color=255", f"--data-dir={data_dir}")

    assert answer.returncode == 0, answer.stderr
    assert "converted the editor's workflow into a graph of 2 nodes" in answer.stderr
    with Image.open(tmp_path / answer.stdout.strip()) as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 255)
        assert json.loads(picture.info["workflow"]) == saved_by_editor


def test_a_refused_workflow_is_one_line_that_names_the_node(fireside: Any, data_dir: Path) -> None:
    answer = fireside(
        "run",
        str(EXAMPLES / "soften.json"),
        f"--input=1.image={EXAMPLES / 'cat.png'}",
        "--set=2.width=-5",
        f"--data-dir={data_dir}",
    )

    assert answer.returncode == 1
    assert "node 2 (ImageScale)" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_jobs_lists_what_has_run(fireside: Any, data_dir: Path, tmp_path: Path) -> None:
    fireside("run", str(EXAMPLES / "soften.json"), f"--input=1.image={EXAMPLES / 'cat.png'}", f"--data-dir={data_dir}")

    listed = json.loads(fireside("jobs", "--json", "--limit=1", f"--data-dir={data_dir}").stdout)
    table = fireside("jobs", "--status=completed", f"--data-dir={data_dir}").stdout

    assert listed["pagination"]["limit"] == 1
    assert listed["jobs"][0]["status"] == "completed"
    assert listed["jobs"][0]["id"] in table
    assert str(datetime.now().astimezone().year) in table


def test_a_job_that_is_not_there_cannot_be_canceled(fireside: Any, data_dir: Path) -> None:
    answer = fireside("cancel", "00000000-0000-4000-8000-000000000000", f"--data-dir={data_dir}")

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1


def test_doctor_finds_a_running_server_well(fireside: Any, data_dir: Path) -> None:
    answer = fireside("doctor", f"--data-dir={data_dir}")

    assert answer.returncode == 0, answer.stdout
    assert re.search(r"^ok +worker .* ready", answer.stdout, re.MULTILINE)


def test_workers_are_listed_with_how_they_are(fireside: Any, data_dir: Path) -> None:
    table = fireside("workers", f"--data-dir={data_dir}").stdout
    listed = json.loads(fireside("workers", "--json", f"--data-dir={data_dir}").stdout)

    assert re.search(r"^local-1 +ready +builtin ", table, re.MULTILINE)
    assert [(worker["id"], worker["state"], worker["reason"]) for worker in listed] == [("local-1", "ready", "")]
    assert listed[0]["labels"] == {"site": "home"}


def test_what_is_wrong_with_the_workers_is_told_before_anything_starts(fireside: Any, tmp_path: Path) -> None:
    answer = fireside("up", "--background", "--comfyui-dir=nowhere", "--comfyui-url=nothing", "--label=fast")

    assert answer.returncode == 2
    for told in ("nowhere is no ComfyUI", "'nothing' is no URL", "'fast' is not key=value"):
        assert told in answer.stderr
    assert not (tmp_path / "fireside-data").exists()


def test_a_second_start_in_the_background_says_that_it_runs(fireside: Any, data_dir: Path) -> None:
    answer = fireside("up", "--background", f"--data-dir={data_dir}")

    assert answer.returncode == 0
    assert "runs already" in answer.stdout


def test_a_second_server_on_the_folder_is_refused(fireside: Any, data_dir: Path) -> None:
    answer = fireside("up", "--port=0", f"--data-dir={data_dir}")

    server = _server(data_dir)
    assert answer.returncode == 1
    assert f"process {server['pid']} at {server['url']}" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert urllib.request.urlopen(f"{_server(data_dir)['url']}/healthz").status == 200


def test_a_login_link_is_printed_alone(fireside: Any, data_dir: Path) -> None:
    link = fireside("login-link", f"--data-dir={data_dir}").stdout.strip()

    assert link.startswith(f"{_server(data_dir)['url']}/login/")
    assert urllib.request.urlopen(link).status == 200


def test_a_server_stops_in_order_and_starts_again(fireside: Any, tmp_path: Path) -> None:
    folder = f"--data-dir={tmp_path / 'other'}"
    assert fireside("up", "--background", "--port=0", "--workers=0", folder).returncode == 0
    stopped = fireside("down", folder)

    assert "has stopped" in stopped.stderr
    assert not (tmp_path / "other" / "server.json").exists()
    again = fireside("up", "--background", "--port=0", "--workers=0", folder)
    assert "API key" not in again.stdout
    assert fireside("down", folder).returncode == 0
