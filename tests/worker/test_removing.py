"""The folder of a run goes, whatever it holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fireside.worker.removing import remove


def hold_little(folder: Path) -> None:
    (folder / "run" / "1").mkdir(parents=True)
    (folder / "run" / "a.png").write_bytes(b"bytes")
    (folder / "run" / "1" / "a.png").write_bytes(b"others")


def hold_many(folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}" / "in").mkdir(parents=True)
        (folder / f"{number}" / "in" / "a.png").write_bytes(b"bytes")


def hold_much(folder: Path) -> None:
    folder.mkdir()
    (folder / "film.mp4").write_bytes(bytes(2 << 20))


def hold_a_link(folder: Path) -> None:
    folder.mkdir()
    (folder / "elsewhere").symlink_to(folder.parent / "kept", target_is_directory=True)


def hold_nothing(folder: Path) -> None:
    assert not folder.exists()


@pytest.mark.parametrize("hold", [hold_little, hold_many, hold_much, hold_a_link, hold_nothing])
async def test_it_goes_with_all_in_it_and_nothing_else(tmp_path: Path, hold: Callable[[Path], None]) -> None:
    kept = tmp_path / "kept" / "file"
    kept.parent.mkdir()
    kept.write_bytes(b"kept")
    hold(tmp_path / "run")

    await remove(tmp_path / "run")

    assert not (tmp_path / "run").exists()
    assert kept.read_bytes() == b"kept"
