import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fireside.processes.children import Child

StartPython = Callable[[str], Awaitable[Child]]


@pytest.fixture
async def start_python(tmp_path: Path) -> AsyncIterator[StartPython]:
    """Start a child that runs a piece of Python; it is ended with the test."""
    started: list[Child] = []

    async def start(code: str) -> Child:
        child = Child("python", [sys.executable, "-c", code], log_path=tmp_path / "child.log")
        await child.start()
        started.append(child)
        return child

    yield start
    for child in started:
        await child.stop(0)
