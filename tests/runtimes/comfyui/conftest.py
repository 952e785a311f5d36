from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.real_comfyui import Tasks, supervised_home

from fireside.runtimes.comfyui.deadlines import Deadlines
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome

DEADLINES = Deadlines(
    interrupt_seconds=3.0, give_up_seconds=1.0, silent_seconds=0.3, longest_silence_seconds=0.5, stuck_seconds=1.0
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real_home(
    comfyui_dir: Path, comfyui_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SupervisedHome]:
    """One ComfyUI for all tests of the runs; some kill it, and it comes back."""
    home = supervised_home(comfyui_dir, comfyui_python, tmp_path_factory.mktemp("comfyui"), preview_method="latent2rgb")
    yield home
    await home.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept_runtime(real_home: SupervisedHome) -> AsyncIterator[ComfyRuntime]:
    runtime = ComfyRuntime(real_home, deadlines=DEADLINES)
    yield runtime
    await runtime.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def real_runtime(kept_runtime: ComfyRuntime) -> ComfyRuntime:
    await kept_runtime.start()
    return kept_runtime


@pytest.fixture
def make_task(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path / "tasks")
