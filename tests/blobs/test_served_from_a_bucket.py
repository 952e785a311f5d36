"""A server whose files are in a bucket of a real object server: a job's life, and an object server that goes away."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import obstore
import pytest
from tests.conftest import StartServer
from tests.object_server import ObjectServer, object_server

pytestmark = pytest.mark.once
PICTURE = (files("fireside") / "examples" / "cat.png").read_bytes()
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "cat.png"}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "inverted"}},
}


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectServer]:
    folder = tmp_path / "objects"
    folder.mkdir()
    with object_server(folder) as server:
        yield server


@pytest.fixture
def server(start_server: StartServer, objects: ObjectServer) -> Any:
    place = (f"--blobs-url={objects.url('files')}", f"--blobs-endpoint={objects.endpoint}")
    return start_server(*place, **objects.environment)


def upload(http: Any, content: bytes) -> Any:
    return http.post("/api/upload/image", files={"image": ("cat.png", content, "image/png")})


def ended(http: Any, job_id: str) -> dict[str, Any]:
    """Wait for the job's end, and show it."""
    while (shown := http.get(f"/api/v2/jobs/{job_id}").json())["status"] in ("queued", "running"):
        http.get(f"/api/v2/jobs/{job_id}/events")
    return shown


def test_inputs_and_outputs_of_a_job_are_objects_and_outlive_the_server(server: Any, objects: ObjectServer) -> None:
    with server.client() as http:
        assert upload(http, PICTURE).status_code == 200
        job = ended(http, http.post("/api/prompt", json={"prompt": GRAPH}).json()["prompt_id"])
    server.kill()
    server.start()
    with server.client() as http:
        whole = http.get("/api/view", params={"filename": "inverted_00001_.png"}, follow_redirects=True)
        part = http.get(whole.url, headers={"Range": "bytes=1-3"}, follow_redirects=True)

    assert job["status"] == "succeeded"
    assert whole.content.startswith(b"\x89PNG")
    assert (part.status_code, part.content) == (206, b"PNG")
    names = {one["path"].rpartition("/")[2] for page in obstore.list(objects.store("files")) for one in page}
    assert {job["outputs"][0]["hash"].removeprefix("blake3:")} < names
    assert not (server.data_dir / "blobs").exists()


def test_while_the_objects_are_away_files_are_refused_and_nothing_is_lost(server: Any, objects: ObjectServer) -> None:
    with server.client() as http:
        assert http.get("/readyz").json()["blobs"]
        upload(http, PICTURE)

        objects.kill()

        refused = [
            upload(http, b"\x89PNG other bytes"),
            http.get("/api/view?filename=cat.png&type=input", follow_redirects=True),
        ]
        assert [one.status_code for one in refused] == [503, 503]
        assert all(one.headers["retry-after"] for one in refused)
        assert "object store" in refused[0].json()["message"]
        assert http.get("/readyz").status_code == 503
        queued = http.post("/api/prompt", json={"prompt": GRAPH}).json()["prompt_id"]

        objects.start()

        assert http.get("/readyz").json()["blobs"]
        assert ended(http, queued)["status"] == "succeeded"
        assert http.get("/api/view?filename=cat.png&type=input", follow_redirects=True).content == PICTURE
