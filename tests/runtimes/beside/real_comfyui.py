"""One ComfyUI process for tests that run the same graphs on it and on ours; its files are read where it writes them."""

import os
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.sync.client import ClientConnection, connect

from fireside.runtimes.comfyui.ports import Port

_CLIENT_ID = "beside"
_START_SECONDS = 240.0
_RUN_SECONDS = 150.0
_LOOK_SECONDS = 0.1
_BAD_REQUEST = 400


class Refused(Exception):
    """ComfyUI does not take the graph; `error` says why, and `node_errors` node by node."""

    def __init__(self, error: Mapping[str, Any], node_errors: Mapping[str, Any]) -> None:
        super().__init__(f"{error} {node_errors}")
        self.error = error
        self.node_errors = node_errors


class RealComfyUI:
    """A ComfyUI that runs, reached over HTTP and its websocket."""

    def __init__(self, http: httpx.Client, socket: ClientConnection, output: Path) -> None:
        self._http = http
        self._socket = socket
        self._output = output
        self._ended: set[str] = set()

    def object_info(self) -> dict[str, Any]:
        """Everything it says of its nodes."""
        return self._http.get("/object_info").raise_for_status().json()

    def submit(self, graph: Mapping[str, Any], **extra_data: Any) -> str:
        """Queue a graph and give its id."""
        body = {"prompt": graph, "client_id": _CLIENT_ID, "extra_data": extra_data}
        answer = self._http.post("/prompt", json=body)
        if answer.status_code == _BAD_REQUEST:
            raise Refused(**answer.json())
        return str(answer.raise_for_status().json()["prompt_id"])

    def wait(self, prompt_id: str) -> dict[str, Any]:
        """Give the history of a graph when it has ended, whichever way."""
        deadline = time.monotonic() + _RUN_SECONDS
        while prompt_id not in self._ended:
            message = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            if isinstance(message, str):
                self._hear(msgspec.json.decode(message))
        return self._http.get(f"/history/{prompt_id}").raise_for_status().json()[prompt_id]

    def upload(self, kind: str, name: str, content: bytes, **fields: str) -> dict[str, str]:
        """Bring an `image` or a `mask` as people do, and give its name, its folder and its type."""
        answer = self._http.post(f"/upload/{kind}", data=fields, files={"image": (name, content)})
        return answer.raise_for_status().json()

    def path_of(self, item: Mapping[str, str]) -> Path:
        """Find a file that a node has written."""
        return self._output / item["type"] / item["subfolder"] / item["filename"]

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "executing" and message["data"].get("node") is None:
            self._ended.add(message["data"]["prompt_id"])


@contextmanager
def running_comfyui(
    comfyui_dir: Path,
    python: Path,
    folder: Path,
    inputs: Path,
    options: Sequence[str] = ("--disable-all-custom-nodes", "--disable-api-nodes"),
) -> Generator[RealComfyUI]:
    """Start a ComfyUI that works in `folder` and reads pictures from `inputs`; end it afterwards."""
    port = Port()
    output = folder / "made"
    words = [str(python), "main.py", "--cpu", f"--port={port.number}", *options]
    places = {"input": inputs, "output": output / "output", "temp": output, "user": folder / "user"}
    for name, place in places.items():
        place.mkdir(parents=True, exist_ok=True)
        words.append(f"--{name}-directory={place}")
    words.append(f"--database-url=sqlite:///{folder / 'comfyui.db'}")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FIRESIDE_", "PYTHON"))}
    with (folder / "comfyui.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=comfyui_dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port.number}", timeout=_RUN_SECONDS) as http:
            _wait_until_ready(http, process, folder / "comfyui.log")
            address = f"ws://127.0.0.1:{port.number}/ws?clientId={_CLIENT_ID}"
            with connect(address, max_size=None) as socket:
                yield RealComfyUI(http, socket, output)
    finally:
        process.kill()
        process.wait()
        port.free()


def _wait_until_ready(http: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            http.get("/system_stats").raise_for_status()
            return
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(f"ComfyUI did not become ready:\n{log.read_text(errors='replace')[-4000:]}")
