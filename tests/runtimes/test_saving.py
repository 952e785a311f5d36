import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fireside.runtimes.builtin.board import Board
from fireside.runtimes.builtin.context import Context, Scope
from fireside.runtimes.builtin.node import SavedFile
from fireside.runtimes.builtin.saving import new_file

NOW = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
Save = Callable[[str], SavedFile]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    scope = Scope(
        graph={},
        inputs={},
        extra_data={},
        folder=tmp_path,
        stop=threading.Event(),
        tell=lambda event: None,
        board=Board({}, lambda event: None),
        now=NOW,
    )
    return lambda prefix: new_file(Context("1", scope), prefix, "output", ".png", size=(640, 480), batch_number=3)


@pytest.mark.parametrize(
    ("prefix", "subfolder", "filename"),
    [
        ("ComfyUI", "", "ComfyUI_00001_.png"),
        ("a/b/c", "a/b", "c_00001_.png"),
        ("a\\b", "a", "b_00001_.png"),
        ("a/", "", "a_00001_.png"),
        ("", "", "ComfyUI_00001_.png"),
        ("../../x", "", "x_00001_.png"),
        ("/etc/x", "etc", "x_00001_.png"),
        (" . /x", "", "x_00001_.png"),
        ("%width%x%height%", "", "640x480_00001_.png"),
        ("n%batch_num%", "", "n3_00001_.png"),
        ("%year%-%month%-%day%/%hour%.%minute%.%second%", "2026-03-04", "15.06.07_00001_.png"),
        ("%date:yyyy-MM-dd hh:mm:ss%", "", "2026-03-04 15:06:07_00001_.png"),
        ("%date:yy M d h m s%", "", "26 3 4 15 6 7_00001_.png"),
        ("%Empty Image.width%", "", "%Empty Image.width%_00001_.png"),
    ],
)
def test_a_prefix_becomes_a_place(save: Save, prefix: str, subfolder: str, filename: str) -> None:
    file = save(prefix)

    assert (file.subfolder, file.filename, file.type) == (subfolder, filename, "output")


def test_names_count_up_within_their_place(save: Save) -> None:
    names = [save(prefix).filename for prefix in ("a", "a", "b", "x/a", "a")]

    assert names == ["a_00001_.png", "a_00002_.png", "b_00001_.png", "a_00001_.png", "a_00003_.png"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(prefix=st.text(st.characters(exclude_categories=())) | st.text("./\\ %a\x00", max_size=40))
def test_whatever_the_prefix_a_file_can_be_written_below_the_folder(save: Save, tmp_path: Path, prefix: str) -> None:
    file = save(prefix)

    file.path.write_bytes(b"")
    assert file.path.resolve().is_relative_to(tmp_path.resolve() / "output")
    assert file.path == tmp_path / "output" / file.subfolder / file.filename


def test_a_deep_and_long_prefix_is_shortened(save: Save) -> None:
    file = save("/".join(["ü" * 500] * 100))

    file.path.write_bytes(b"")
    assert len(file.filename.encode()) < 255
