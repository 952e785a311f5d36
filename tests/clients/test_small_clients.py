"""Two small clients of ComfyUI's own API, from npm, used as their READMEs use them."""

import httpx
import pytest
from tests.clients.conftest import RunProgram
from tests.conftest import ServerProcess


@pytest.mark.parametrize("is_local", [True, False], ids=["without a key at the local port", "with its bearer token"])
def test_the_sdk_of_saintno(
    run_program: RunProgram, server: ServerProcess, local_url: str, key: str, is_local: bool
) -> None:
    told = run_program("saintno.mjs", *([local_url] if is_local else [server.url, key]))

    assert told["filename"].startswith("saintno_")
    assert (told["magic"], told["nodes"], told["waiting"]) == ("PNG", ["ImageInvert"], 0)
    assert "pending" in told["seen"]
    assert told["history"] >= 1


def test_the_client_of_stable_canvas(run_program: RunProgram, local_url: str) -> None:
    told = run_program("stable_canvas.mjs", local_url)

    assert (told["system"], told["images"], told["types"]) == ("string", [1, 1], ["url", "url"])
    assert told["queue"] == ["Pending", "Running"]
    assert told["history"] >= 2
    for address in told["addresses"]:
        assert httpx.get(address).content.startswith(b"\x89PNG")
