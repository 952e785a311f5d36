"""The folder of a run is empty when it begins, whatever the run before it has left there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fireside.worker.scratch import Scratch


def hold_little(folder: Path) -> None:
    (folder / "run" / "1").mkdir()
    (folder / "run" / "a.png").write_bytes(b"bytes")
    (folder / "run" / "1" / "a.png").write_bytes(b"others")
    (folder / "inputs").mkdir()
    (folder / "inputs" / "0.png").write_bytes(b"input")


def hold_many(folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}" / "in").mkdir(parents=True)
        (folder / f"{number}" / "in" / "a.png").write_bytes(b"bytes")


def hold_much(folder: Path) -> None:
    (folder / "run" / "film.mp4").write_bytes(bytes(2 << 20))


def hold_a_link(folder: Path) -> None:
    (folder / "run" / "elsewhere").symlink_to(folder.parent.parent / "kept", target_is_directory=True)


def hold_a_link_in_place_of_it(folder: Path) -> None:
    (folder / "run").rmdir()
    (folder / "run").symlink_to(folder.parent.parent / "kept", target_is_directory=True)


def hold_nothing(folder: Path) -> None:
    (folder / "run").rmdir()


def be_gone(folder: Path) -> None:
    (folder / "run").rmdir()
    folder.rmdir()


@pytest.mark.parametrize(
    "leave",
    [hold_little, hold_many, hold_much, hold_a_link, hold_a_link_in_place_of_it, hold_nothing, be_gone],
)
async def test_the_next_run_finds_nothing_and_nothing_else_goes(tmp_path: Path, leave: Callable[[Path], None]) -> None:
    kept = tmp_path / "kept" / "file"
    kept.parent.mkdir()
    kept.write_bytes(b"kept")
    scratch = Scratch(tmp_path / "jobs")
    folder = scratch.take()
    leave(folder)

    await scratch.give_back(folder, is_at_rest=True)
    following = scratch.take()

    assert [path.name for path in following.rglob("*")] == ["run"]
    assert (following / "run").is_dir()
    assert not (following / "run").is_symlink()
    assert kept.read_bytes() == b"kept"


async def test_runs_at_the_same_time_have_folders_of_their_own_and_few_are_kept(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "jobs")
    folders = [scratch.take() for _ in range(9)]
    assert len(set(folders)) == 9

    for folder in folders:
        await scratch.give_back(folder, is_at_rest=True)

    assert len(list((tmp_path / "jobs").iterdir())) == 4
    assert scratch.take() in folders


async def test_the_folder_of_a_run_that_was_broken_off_is_never_used_again(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "jobs")
    folder = scratch.take()

    await scratch.give_back(folder, is_at_rest=False)

    assert not folder.exists()
    assert scratch.take() != folder
