"""Uploads onto a disk that is full."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.v1.files.house import OpenHouse


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert "CI" not in os.environ, "CI must be able to mount a tmpfs"
        pytest.skip("mounting a small disk needs root")
    yield folder
    # Lazily, because a test that failed has left its files open.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.fault
async def test_an_upload_larger_than_the_disk_waits_and_leaves_nothing(open_house: OpenHouse, small_disk: Path) -> None:
    house = await open_house(small_disk)

    answer = await house.ada.upload(os.urandom(20_000_000), "a.bin")

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert int(answer.headers["retry-after"]) > 0
    assert house.bytes_kept() == []


@pytest.mark.fault
async def test_a_full_disk_refuses_and_room_makes_uploads_work_again(
    open_house: OpenHouse, small_disk: Path, picture: bytes
) -> None:
    house = await open_house(small_disk)
    assert (await house.ada.upload(b"kept", "kept.txt")).status_code == 200
    (kept,) = house.bytes_kept()
    fill(small_disk / "ballast")

    answer = await house.ada.upload(picture, "a.png")

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert house.bytes_kept() == [kept]
    assert (await house.ada.view("kept.txt")).content == b"kept"
    (small_disk / "ballast").unlink()
    assert (await house.ada.upload(picture, "a.png")).status_code == 200


@pytest.mark.fault
async def test_a_full_disk_refuses_what_is_made_of_a_picture(
    open_house: OpenHouse, small_disk: Path, picture: bytes
) -> None:
    house = await open_house(small_disk)
    await house.ada.upload(picture, "a.png")
    kept = house.bytes_kept()
    await house.ada.view("a.png", channel="rgb")
    fill(small_disk / "ballast")

    answer = await house.ada.view("a.png", channel="rgb")

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert house.bytes_kept() == kept
    (small_disk / "ballast").unlink()
    assert (await house.ada.view("a.png", channel="rgb")).status_code == 200
