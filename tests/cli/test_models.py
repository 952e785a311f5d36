"""`fireside models`: what a command takes and prints."""

import json
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

pytestmark = pytest.mark.once
HEADER = json.dumps({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
MODEL = len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)
HASH = blake3(MODEL).hexdigest()


def test_bytes_that_the_server_has_are_registered_by_another_name_without_an_address(
    fireside: Any, tmp_path: Path
) -> None:
    (tmp_path / "ink.safetensors").write_bytes(MODEL)
    assert fireside("models", "upload", "ink.safetensors", "--folder=loras").returncode == 0

    added = fireside("models", "add", "--folder=vae", "--name=other.safetensors", f"--blake3={HASH}")

    assert "workers may fetch vae/other.safetensors" in added.stderr
    listed = json.loads(fireside("models", "list", "--json").stdout)
    assert {(one["folder"], one["name"], one["blake3"], one["source_url"]) for one in listed} == {
        ("loras", "ink.safetensors", HASH, None), ("vae", "other.safetensors", HASH, None),
    }  # fmt: skip


def test_without_an_address_it_has_to_be_said_which_bytes_are_meant(fireside: Any) -> None:
    answer = fireside("models", "add", "--folder=vae", "--name=other.safetensors")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "say by --blake3 and --name" in answer.stderr
