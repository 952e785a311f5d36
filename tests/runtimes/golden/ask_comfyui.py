"""Ask a real ComfyUI for the pictures that ours are compared with: `python -m tests.runtimes.golden.ask_comfyui URL`.

Writes one file per graph, with the pictures of each SaveImage node as one array, and what ComfyUI says of the node
classes we share. The pictures that the graphs load are made on the spot.
"""

import io
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tests.runtimes.graphs import GRAPHS, Graph
from tests.runtimes.pictures import paint

from fireside.runtimes.builtin.nodes import NODES

_DEADLINE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_FOLDER = Path(__file__).parent
OWN_PROSE = ("PreviewImage", "SaveImage")


def main(url: str) -> None:
    """Upload the pictures, run every graph, and keep what it shows."""
    with httpx.Client(base_url=url, timeout=_DEADLINE_SECONDS) as client, tempfile.TemporaryDirectory() as folder:
        for name, path in paint(Path(folder)).items():
            client.post("/upload/image", files={"image": (name, path.read_bytes())}, data={"overwrite": "true"})
        for name, graph in GRAPHS.items():
            arrays: dict[str, Any] = dict(_pictures_of(client, graph))
            np.savez_compressed(_FOLDER / f"{name}.npz", **arrays)
        real = client.get("/object_info").json()
        entries = {name: comparable(name, real[name]) for name in sorted(NODES) if name in real}
        (_FOLDER / "object_info.json").write_text(json.dumps(entries, indent=1) + "\n", "utf-8")


def _pictures_of(client: httpx.Client, graph: Graph) -> dict[str, NDArray[Any]]:
    history = _history_of(client, graph)
    arrays: dict[str, NDArray[Any]] = {}
    for node_id, output in history["outputs"].items():
        answers = [client.get("/view", params=item) for item in output["images"]]
        arrays[node_id] = np.stack([np.asarray(Image.open(io.BytesIO(answer.content))) for answer in answers])
    if not arrays:
        raise SystemExit(str(history["status"]["messages"]))
    return arrays


def _history_of(client: httpx.Client, graph: Graph) -> dict[str, Any]:
    answer = client.post("/prompt", json={"prompt": graph, "client_id": "golden"})
    if answer.is_error:
        raise SystemExit(answer.text)
    prompt_id = answer.json()["prompt_id"]
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        history = client.get(f"/history/{prompt_id}").json()
        if prompt_id in history:
            return history[prompt_id]
        time.sleep(_PAUSE_SECONDS)
    raise SystemExit("no answer in time")


def comparable(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Blank the lists of files; of the two nodes that save, leave out the prose, which is each side's own."""
    inputs = [declared for group in ("required", "optional") for declared in entry["input"].get(group, {}).values()]
    for declared in inputs:
        if len(declared) > 1 and "image_upload" in declared[1]:
            declared[0] = []
        if len(declared) > 1 and name in OWN_PROSE:
            declared[1].pop("tooltip", None)
    return {**entry, "description": ""} if name in OWN_PROSE else entry


if __name__ == "__main__":
    main(sys.argv[1])
