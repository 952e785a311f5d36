"""The names in an archive of files."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.server.pages.bundles import names_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _asset(name: str, subfolder: str = "") -> Asset:
    return Asset(
        id=AssetId(uuid4()),
        user_id=UserId(1),
        file=FileName(folder=Folder.OUTPUT, subfolder=subfolder, name=name),
        hash=BlobHash("0" * 64),
        size_bytes=1,
        content_type="image/png",
        created_at=NOW,
    )


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ([("a.png", "x/y")], ["x/y/a.png"]),
        ([("a.png", ""), ("a.png", ""), ("a.png", "")], ["a.png", "a (1).png", "a (2).png"]),
        ([('a:"b?.png', "c|d")], ["c_d/a__b_.png"]),
        ([("a\nb.png", "")], ["a_b.png"]),
    ],
    ids=["in folders", "each once", "as every system takes them", "without line breaks"],
)
def test_files_are_named_in_an_archive(paths: list[tuple[str, str]], names: list[str]) -> None:
    assert names_of([_asset(name, subfolder) for name, subfolder in paths]) == names
