"""The cache of fetched models: bounded, shared, and never without what is in use."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3

from fireside.wire.fleet import MODEL_MARK, NeededModel
from fireside.worker.model_cache import ModelCache, NoRoom, drop_dead_links, show

_HOLD = """
import contextlib, sys
from pathlib import Path
from fireside.wire.fleet import NeededModel
from fireside.worker.model_cache import ModelCache
cache = ModelCache(Path(sys.argv[1]), 30)
model = NeededModel(folder="checkpoints", name="x", hash=sys.argv[2], size_bytes=10, url="")
with contextlib.ExitStack() as held:
    assert cache.take(model, held) is not None
    print("held", flush=True)
    sys.stdin.read()
"""


def model(letter: str, *, name: str = "", size: int = 10) -> NeededModel:
    content = letter.encode() * size
    return NeededModel(
        folder="checkpoints", name=name or letter, hash=blake3(content).hexdigest(), size_bytes=size, url=""
    )


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    folder = tmp_path / "models"
    folder.mkdir()
    return ModelCache(folder, 30)


def put(cache: ModelCache, letter: str, *, used_at: int, size: int = 10) -> NeededModel:
    """Have a model there that was used last at that time."""
    made = model(letter, size=size)
    cache.make_room(made)
    cache.part_of(made).write_bytes(letter.encode() * size)
    cache.keep(made)
    path = cache.part_of(made).with_suffix("")
    os.utime(path, ns=(used_at, path.stat().st_mtime_ns))
    return made


def kept(cache: ModelCache, *models: NeededModel) -> list[bool]:
    with contextlib.ExitStack() as held:
        return [cache.take(one, held) is not None for one in models]


def test_what_was_not_used_for_longest_goes_first(cache: ModelCache) -> None:
    one, two, three = (put(cache, letter, used_at=number) for number, letter in enumerate("abc", 1))
    kept(cache, one)  # which uses it

    put(cache, "d", used_at=4)

    assert kept(cache, one, two, three) == [True, False, True]


def test_what_is_in_use_stays_and_the_next_one_goes(cache: ModelCache) -> None:
    one, two, three = (put(cache, letter, used_at=number) for number, letter in enumerate("abc", 1))
    with contextlib.ExitStack() as held:
        path = cache.take(one, held)
        assert path is not None
        os.utime(path, ns=(1, path.stat().st_mtime_ns))

        cache.make_room(model("d"))

    assert kept(cache, one, two, three) == [True, False, True]


def test_what_another_process_uses_stays_until_that_is_gone(cache: ModelCache, tmp_path: Path) -> None:
    one = put(cache, "a", used_at=1)
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "models"), one.hash]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(NoRoom):
            cache.make_room(model("d", size=30))
        process.kill()

    cache.make_room(model("d", size=30))

    assert kept(cache, one) == [False]


def test_what_a_broken_download_has_left_goes_before_models(cache: ModelCache) -> None:
    one = put(cache, "a", used_at=1)
    broken = cache.part_of(model("x", size=25))
    broken.write_bytes(b"x" * 20)

    cache.make_room(model("d"))

    assert not broken.exists()
    assert kept(cache, one) == [True]


def test_a_file_of_another_size_is_none(cache: ModelCache, tmp_path: Path) -> None:
    one = put(cache, "a", used_at=1)
    (tmp_path / "models" / one.hash).write_bytes(b"short")

    assert kept(cache, one) == [False]


def test_what_is_here_is_told_by_its_mark(cache: ModelCache, tmp_path: Path) -> None:
    one, two = put(cache, "a", used_at=1), put(cache, "b", used_at=2)
    other = ModelCache(tmp_path / "models", 30)
    assert other.marks == ()

    other.look()

    assert other.marks == (two.hash[:MODEL_MARK], one.hash[:MODEL_MARK])


async def test_what_left_the_registry_goes_when_nobody_uses_it(cache: ModelCache, tmp_path: Path) -> None:
    one, two, three = (put(cache, letter, used_at=number) for number, letter in enumerate("abc", 1))
    links = tmp_path / "links"
    for each in (one, two, three):
        show(each, cache.part_of(each).with_suffix(""), links)
    with contextlib.ExitStack() as held:
        cache.take(two, held)

        await cache.keep_only({one.hash})
        drop_dead_links(links)

        assert kept(cache, one, two, three) == [True, True, False]
    assert sorted(path.name for path in (links / "checkpoints").iterdir()) == ["a", "b"]

    await cache.keep_only({one.hash})

    assert kept(cache, two) == [False]
    assert cache.marks == (one.hash[:MODEL_MARK],)


def test_a_name_leads_to_the_bytes_that_it_has_now(cache: ModelCache, tmp_path: Path) -> None:
    links = tmp_path / "links"
    for letter in "ab":
        one = put(cache, letter, used_at=1)
        show(model(letter, name="style/same"), cache.part_of(one).with_suffix(""), links)

    assert (links / "checkpoints" / "style" / "same").read_bytes() == b"b" * 10


@pytest.mark.parametrize("name", ["../x", "a/../../../x", "/x"])
def test_no_name_leads_out_of_the_links(cache: ModelCache, tmp_path: Path, name: str) -> None:
    one = put(cache, "a", used_at=1)

    with pytest.raises(OSError, match="is no name"):
        show(model("a", name=name), cache.part_of(one).with_suffix(""), tmp_path / "links")

    assert not list(tmp_path.glob("x"))
