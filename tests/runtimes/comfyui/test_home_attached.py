import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.runtimes.comfyui.standin import launch_of, make_standin

from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.attached import AttachedHome
from fireside.runtimes.comfyui.home import HomeLost
from fireside.runtimes.comfyui.supervised import SupervisedHome


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[SupervisedHome]:
    """A stand-in that somebody else started."""
    home = SupervisedHome(launch_of(make_standin(tmp_path / "standin")), tmp_path / "worker")
    await home.start()
    yield home
    await home.stop()


async def test_a_comfyui_that_runs_is_found_and_left_alone(running: SupervisedHome) -> None:
    home = AttachedHome(running.url + "/")
    await home.start()
    await home.stop()
    assert home.url == running.url
    assert home.is_alive
    assert home.folders is None
    assert running.is_alive


async def test_a_url_where_nobody_answers_is_told_without_its_password() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        home = AttachedHome(f"http://me:hidden@127.0.0.1:{closed.getsockname()[1]}", answer_seconds=0.2)
        with pytest.raises(RuntimeStartError, match=r"No ComfyUI answers at http://127\.0\.0\.1") as refused:
            await home.start()
    assert "hidden" not in str(refused.value)


async def test_a_url_where_something_else_answers_is_told(running: SupervisedHome) -> None:
    home = AttachedHome(f"{running.url}/elsewhere", answer_seconds=3.0)
    with pytest.raises(RuntimeStartError, match="status 404"):
        await home.start()


async def test_an_attached_comfyui_is_not_ours_to_start_again() -> None:
    with pytest.raises(HomeLost, match="restart it there"):
        await AttachedHome("http://127.0.0.1:1").restart("it hangs")


async def test_an_attached_comfyui_never_dies_for_us() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(AttachedHome("http://127.0.0.1:1").died(), 0.05)
