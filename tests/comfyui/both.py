"""A server with a real ComfyUI, and a ComfyUI by itself: the same workflows go to both, and what comes out is named
by the hashes of the bytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from blake3 import blake3
from tests.conftest import ServerProcess
from tests.runtimes.beside.real_comfyui import RealComfyUI
from websockets.sync.client import ClientConnection

DEADLINE_SECONDS = 240.0
ENDS = ("execution_success", "execution_error", "execution_interrupted")

# Encoders draw them anew each time: the number of an Ogg stream and with it its checksums, the number of a track.
_DRAWN = {
    b"OggS": re.compile(rb"(?s)(?<=OggS.{10}).{4}|(?<=OggS.{18}).{4}"),
    b"\x1a\x45\xdf\xa3": re.compile(rb"(?s)(?<=[\x63\x73]\xc5\x88).{8}"),
}

Made = dict[str, list[Any]]


@dataclass
class Heard:
    """What the websocket told of one job: its messages in order, and the binary frames between them."""

    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    frames: list[bytes] = field(default_factory=list[bytes])

    @property
    def end(self) -> tuple[str, dict[str, Any]]:
        return self.messages[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for said, data in self.messages if said == kind]


class Fireside:
    """A server, as a client with a key and a websocket sees it."""

    def __init__(self, server: ServerProcess, socket: ClientConnection) -> None:
        self.server = server
        self.http = server.client()
        self._socket = socket
        self._heard: dict[str, Heard] = {}

    def upload(self, kind: str, name: str, content: bytes, **fields: str) -> dict[str, str]:
        """Bring an `image` or a `mask`, and give its name, its folder and its type."""
        answer = self.http.post(f"/api/upload/{kind}", data=fields, files={"image": (name, content)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, graph: Mapping[str, Any], **extra_data: Any) -> str:
        """Queue a graph and give the job's id."""
        answer = self.http.post("/api/prompt", json={"prompt": graph, "extra_data": extra_data})
        assert answer.status_code == 200, answer.text
        return answer.json()["prompt_id"]

    def follow(self, job_id: str, socket: ClientConnection | None = None) -> Heard:
        """Listen until the job has ended; what is said of others meanwhile is kept for whoever follows them."""
        heard = self._heard.pop(job_id, Heard())
        while not heard.messages or heard.end[0] not in ENDS:
            message = (socket or self._socket).recv(timeout=DEADLINE_SECONDS)
            if isinstance(message, bytes):
                heard.frames.append(message)
                continue
            said = msgspec.json.decode(message)
            about = said["data"].get("prompt_id")
            if about == job_id:
                heard.messages.append((said["type"], said["data"]))
            elif about is not None and socket is None:
                self._heard.setdefault(about, Heard()).messages.append((said["type"], said["data"]))
        return heard

    def job(self, job_id: str) -> dict[str, Any]:
        """Give what the list of jobs says of it."""
        return self.http.get(f"/api/jobs/{job_id}").raise_for_status().json()

    def download(self, item: Mapping[str, str]) -> bytes:
        """Fetch a file that a node has made."""
        return self.http.get("/api/view", params=item, follow_redirects=True).raise_for_status().content

    def made_by(self, job_id: str) -> Made:
        """Name all that the job has made."""
        return named(self.job(job_id)["outputs"], self.download)


@dataclass
class Both:
    """The same for both; each workflow runs on one after the other."""

    fireside: Fireside
    comfyui: RealComfyUI

    def upload(self, kind: str, name: str, content: bytes, **fields: str) -> dict[str, str]:
        """Bring a file to both, which call it the same."""
        placed = self.comfyui.upload(kind, name, content, **fields)
        ours = self.fireside.upload(kind, name, content, **fields)
        assert placed.items() <= ours.items()
        return placed

    def run(self, graph: Mapping[str, Any], **extra_data: Any) -> tuple[Made, Made]:
        """Run it on both, and give what was made through the server and directly."""
        ours = self.fireside.submit(graph, **extra_data)
        end, data = self.fireside.follow(ours).end
        assert end == "execution_success", data
        entry = self.comfyui.wait(self.comfyui.submit(graph, **extra_data))
        assert entry["status"]["status_str"] == "success", entry["status"]
        theirs = named(entry["outputs"], lambda item: self.comfyui.path_of(item).read_bytes())
        return self.fireside.made_by(ours), theirs


def named(outputs: Mapping[str, Mapping[str, Any]], read: Callable[[Mapping[str, str]], bytes]) -> Made:
    """Put the hash of its bytes in the place of each file, under `node.key`; other values stay."""
    return {
        f"{node_id}.{key}": [_named(value, read) for value in values]
        for node_id, shown in outputs.items()
        for key, values in shown.items()
    }


def _named(value: Any, read: Callable[[Mapping[str, str]], bytes]) -> Any:
    if not isinstance(value, Mapping) or "filename" not in value:
        return value
    return value["type"], blake3(_without_chance(read(value))).hexdigest()


def _without_chance(content: bytes) -> bytes:
    """Take out in what two files differ that one ComfyUI has made of the same."""
    if content[8:9] == b"{":
        # Safetensors: its metadata come in any order.
        tensors = 8 + int.from_bytes(content[:8], "little")
        header = msgspec.json.decode(content[8:tensors])
        return msgspec.json.encode(header, order="sorted") + content[tensors:]
    drawn = _DRAWN.get(content[:4])
    return drawn.sub(b"", content) if drawn else content
