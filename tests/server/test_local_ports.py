"""Local ports of a server as people start it."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

pytestmark = pytest.mark.once

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "local"}},
}


def local_url(server: Any) -> str:
    ((_, url),) = json.loads((server.data_dir / "server.json").read_bytes())["local_urls"]
    return url


def get(url: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=90) as answer:
        return json.loads(answer.read())


def test_a_local_port_is_opened_and_told_where_it_is(start_server: Any) -> None:
    server = start_server("--workers=0", "--local-ports=admin=0")
    url = local_url(server)

    assert get(f"{url}/queue") == {"queue_running": [], "queue_pending": []}
    assert f"{url} is admin, without a key" in server.log()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(f"{url}/queue", Origin="https://evil.test")


def test_without_the_setting_nobody_comes_in_without_a_key(start_server: Any) -> None:
    server = start_server("--workers=0")

    assert json.loads((server.data_dir / "server.json").read_bytes())["local_urls"] == []
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"{server.url}/queue")


def test_no_key_of_an_address_is_logged(start_server: Any) -> None:
    server = start_server("--workers=0", FIRESIDE_LOG_LEVEL="debug")
    key = server.key_of("admin")

    get(f"{server.url}/queue?token={key}")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{server.url}/nowhere?token={key}")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get(f"{server.url}/history?max_items=x&token={key}")
    with server.watch(key) as socket:
        socket.recv()

    assert server.stop() == 0
    assert "ready" in server.log() or "up" in server.log()
    assert key not in server.log()


@pytest.mark.parametrize("setting", ["admin", "admin=x", "=1", "admin=70000", "admin=-1"])
def test_a_local_port_that_is_none_is_told_before_anything_starts(start_server: Any, setting: str) -> None:
    with pytest.raises(AssertionError, match=r"local_ports|cannot listen on 127\.0\.0\.1:70000"):
        start_server("--workers=0", f"--local-ports={setting}")


def test_a_local_port_that_is_taken_is_one_line(start_server: Any) -> None:
    first = start_server("--workers=0", "--local-ports=admin=0")
    port = local_url(first).rpartition(":")[2]

    with pytest.raises(AssertionError, match="is another server there"):
        start_server("--workers=0", f"--local-ports=admin={port}", name="second")
