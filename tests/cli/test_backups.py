"""Backup and restore, with real servers on both databases: what is listed and what the files are is the same again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import MakeServer, StartServer
from tests.postgres_server import PostgresServer, find_programs

pytestmark = [pytest.mark.once, pytest.mark.sqlite]
_OF_AN_ASSET = ("id", "name", "hash", "size", "mime_type", "tags", "job_id", "metadata", "created_at", "updated_at")
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 7}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "kept"}},
}


@dataclass(frozen=True)
class Databases:
    """The environment of the server that is backed up, and of the one that is restored."""

    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture(params=["sqlite", "postgres"])
def databases_of_both(request: pytest.FixtureRequest) -> Iterator[Databases]:
    if request.param == "sqlite":
        yield Databases({"FIRESIDE_DATABASE_URL": ""}, {"FIRESIDE_DATABASE_URL": ""})
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    programs = find_programs()
    assert programs is not None
    path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    with server.database(template="template0") as first, server.database(template="template0") as second:
        urls = [server.tcp_url(server.name_of(url)) for url in (first, second)]
        yield Databases(*({"FIRESIDE_DATABASE_URL": url} | path for url in urls))


def fireside(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
    return subprocess.run(
        [sys.executable, "-m", "fireside", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=clean | environment,
        check=False,
    )


def fill(http: Any) -> None:
    """Leave a job, an input and a saved workflow."""
    http.post("/api/upload/image", files={"image": ("notes.bin", b"an input")}).raise_for_status()
    http.post("/api/userdata/workflows%2Fmine.json", content=b'{"nodes": []}').raise_for_status()
    job = http.post("/api/prompt", json={"prompt": GRAPH}).json()["prompt_id"]
    while http.get(f"/api/v2/jobs/{job}").json()["status"] in ("queued", "running"):
        http.get(f"/api/v2/jobs/{job}/events")


def content(http: Any) -> Sequence[Any]:
    """Give whatever a backup must keep, as a client sees it."""
    assets = http.get("/api/assets?sort=name&order=asc").json()
    return [
        http.get("/api/jobs").json(),
        [{name: one.get(name) for name in _OF_AN_ASSET} for one in assets["assets"]],
        [http.get(f"/api/assets/{one['id']}/content", follow_redirects=True).content for one in assets["assets"]],
        http.get("/api/userdata/workflows%2Fmine.json").content,
    ]


def test_a_backup_of_a_running_server_is_the_same_on_an_empty_machine(
    start_server: StartServer, databases_of_both: Databases, tmp_path: Path
) -> None:
    both, saved = databases_of_both, tmp_path / "saved"
    old = start_server(name="old", **both.first)
    with old.client(key := old.key_of("admin")) as http:
        fill(http)
        before = content(http)
        made = fireside("backup", f"--to={saved}", f"--data-dir={old.data_dir}", **both.first)
        copies = {path: path.stat().st_ino for path in (saved / "blobs").glob("??/*")}
        again = fireside("backup", f"--to={saved}", f"--data-dir={old.data_dir}", **both.first)
    old.kill()
    shutil.rmtree(old.data_dir)

    restored = fireside("restore", f"--from={saved}", f"--data-dir={tmp_path / 'new'}", **both.second)
    new = start_server(name="new", **both.second)

    assert (made.returncode, again.returncode, restored.returncode) == (0, 0, 0), made.stderr + restored.stderr
    assert "3 files" in made.stdout
    assert {path: path.stat().st_ino for path in (saved / "blobs").glob("??/*")} == copies
    with new.client(key) as http:
        assert content(http) == before
    assert {path.stat().st_mode & 0o077 for path in saved.rglob("*")} == {0}


@pytest.fixture(scope="module")
def original(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a file, and a backup of it beside."""
    folder = tmp_path_factory.mktemp("original")
    with make_server(folder / "old", "--workers=0", FIRESIDE_DATABASE_URL="") as server, server.client() as http:
        http.post("/api/upload/image", files={"image": ("notes.bin", b"an input")}).raise_for_status()
        server.kill()
    assert fireside("backup", f"--to={folder / 'saved'}", f"--data-dir={folder / 'old'}").returncode == 0
    return folder


@pytest.fixture
def saved(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    return tmp_path / "saved"


def test_what_is_no_backup_is_refused_and_nothing_is_made(saved: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    (blob,) = (saved / "blobs").glob("??/*")

    def refusal(command: str = "restore", *, to: Path = new, **environment: str) -> str:
        done = fireside(
            command, f"--{'from' if command == 'restore' else 'to'}={saved}", f"--data-dir={to}", **environment
        )
        assert done.returncode != 0
        return done.stderr

    assert "restore it without database_url" in refusal(FIRESIDE_DATABASE_URL="postgresql://nowhere/none")
    assert "has a fireside.db already" in refusal(to=tmp_path / "old")
    assert "there is no" in refusal("backup", to=tmp_path / "nowhere")
    fireside("backup", f"--to={saved}", f"--data-dir={tmp_path / 'old'}")
    blob.write_bytes(b"other bytes")
    assert "The bytes have the blake3" in refusal()
    blob.unlink()
    assert f"lacks the file {blob.name}" in refusal()
    (saved / "fireside.db").write_bytes(b"something else")
    assert "is not what manifest.json says" in refusal()
    (saved / "manifest.json").unlink()
    assert "not finished" in refusal()
    assert not (new / "fireside.db").exists()


def test_a_file_that_is_damaged_is_named_and_the_rest_is_saved(saved: Path, tmp_path: Path) -> None:
    (blob,) = (tmp_path / "old" / "blobs").glob("??/*")
    blob.write_bytes(b"rotten")

    made = fireside("backup", f"--to={tmp_path / 'other'}", f"--data-dir={tmp_path / 'old'}")

    assert made.returncode == 1
    assert f"1 files are damaged where the server keeps them, and not in the backup: {blob.name}" in made.stderr
    assert (tmp_path / "other" / "manifest.json").exists()


def test_a_folder_with_other_things_is_left_alone(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")

    made = fireside("backup", f"--to={tmp_path / 'mine'}", f"--data-dir={tmp_path / 'old'}")

    assert "holds other things than a backup" in made.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
