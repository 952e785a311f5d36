"""Which bytes a worker's model files are, and when a run may vouch for them."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from fireside.runtimes.builtin.runtime import BuiltinRuntime
from fireside.wire.fleet import IdentifyModels
from fireside.worker.identifying import ModelsOfRun, identify_models, models_of_run
from fireside.worker.model_hashes import ModelHashes

GRAPH: dict[str, Any] = {"1": {"class_type": "VAELoader", "inputs": {"vae_name": "a"}}}
EMPTY: dict[str, Any] = {"1": {"class_type": "EmptyImage", "inputs": {}}}


class Shelf(BuiltinRuntime):
    """A runtime that has model files."""

    paths: Mapping[str, Path] | None = None
    is_slow = False

    async def model_paths(self, names: Sequence[str]) -> Mapping[str, Path] | None:
        if self.is_slow:
            raise TimeoutError
        if self.paths is None:
            return None
        return {key: path for key, path in self.paths.items() if key.partition("/")[2] in names}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    model.write_bytes(b"one")
    return model


@pytest.fixture
def shelf(model: Path, tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path / "runtime")
    shelf.paths = {"vae/a": model}
    return shelf


@pytest.fixture
async def hashes(tmp_path: Path) -> AsyncIterator[ModelHashes]:
    hashes = ModelHashes(tmp_path / "hashes.json")
    yield hashes
    await hashes.stop()


def digest(data: bytes) -> str:
    return blake3(data).hexdigest()


def rewrite(path: Path, data: bytes) -> None:
    """Change a file, and its time of change for certain."""
    changed = path.stat().st_mtime_ns + 1_000_000_000
    path.write_bytes(data)
    os.utime(path, ns=(changed, changed))


async def test_a_hash_is_made_in_the_background_and_known_the_next_time(hashes: ModelHashes, model: Path) -> None:
    assert hashes.known(model) is None

    await hashes.settle()

    assert hashes.known(model) == digest(b"one")


async def test_hashes_outlive_the_worker(hashes: ModelHashes, model: Path, tmp_path: Path) -> None:
    hashes.known(model)
    await hashes.settle()

    assert ModelHashes(tmp_path / "hashes.json").known(model) == digest(b"one")


async def test_what_is_remembered_may_be_lost(model: Path, tmp_path: Path) -> None:
    (tmp_path / "hashes.json").write_bytes(b"no JSON")
    hashes = ModelHashes(tmp_path / "hashes.json")

    assert hashes.known(model) is None
    await hashes.settle()
    assert hashes.known(model) == digest(b"one")


async def test_a_changed_file_is_not_known_and_not_steady(hashes: ModelHashes, model: Path) -> None:
    hashes.known(model)
    await hashes.settle()
    assert hashes.is_steady(model)

    rewrite(model, b"two")

    assert hashes.known(model) is None
    assert not hashes.is_steady(model)
    await hashes.settle()
    assert hashes.known(model) == digest(b"two")
    assert not hashes.is_steady(model)


async def test_a_file_that_is_not_there_is_never_known(hashes: ModelHashes, tmp_path: Path) -> None:
    assert hashes.known(tmp_path / "no") is None
    assert not hashes.is_steady(tmp_path / "no")
    await hashes.settle()
    assert hashes.known(tmp_path / "no") is None


async def test_all_are_known_or_none(hashes: ModelHashes, model: Path, tmp_path: Path) -> None:
    hashes.known(model)
    await hashes.settle()

    assert hashes.of({"vae/a": model}) == {"vae/a": digest(b"one")}
    assert hashes.of({"vae/a": model, "vae/b": tmp_path / "no"}) is None
    assert hashes.of({}) == {}


async def test_a_run_vouches_for_models_that_stay_what_they_are(shelf: Shelf, hashes: ModelHashes) -> None:
    run = await models_of_run(shelf, hashes, GRAPH)
    assert run.as_run() is None

    await hashes.settle()

    assert run.as_run() == {"vae/a": digest(b"one")}


async def test_a_run_vouches_for_no_model_that_changed_meanwhile_nor_for_one_that_had_changed_before(
    shelf: Shelf, hashes: ModelHashes, model: Path
) -> None:
    run = await models_of_run(shelf, hashes, GRAPH)
    await hashes.settle()
    rewrite(model, b"two")
    later = await models_of_run(shelf, hashes, GRAPH)
    await hashes.settle()

    assert run.as_run() is None
    # The runtime may still hold what it read before.
    assert later.as_run() is None


async def test_a_run_that_names_no_models_needs_none(shelf: Shelf, hashes: ModelHashes) -> None:
    assert (await models_of_run(shelf, hashes, EMPTY)).as_run() == {}


async def test_nobody_vouches_for_what_cannot_be_found(shelf: Shelf, hashes: ModelHashes) -> None:
    shelf.paths = {}
    assert (await models_of_run(shelf, hashes, GRAPH)).as_run() is None
    shelf.paths = None
    assert (await models_of_run(shelf, hashes, EMPTY)).as_run() is None
    shelf.is_slow = True
    assert (await models_of_run(shelf, hashes, EMPTY)).as_run() is None
    assert ModelsOfRun(hashes, None).as_run() is None


async def test_the_server_is_told_what_files_are_now(shelf: Shelf, hashes: ModelHashes, model: Path) -> None:
    asked = IdentifyModels(names=("a",))
    assert (await identify_models(shelf, hashes, asked)).models is None
    await hashes.settle()
    assert (await identify_models(shelf, hashes, asked)).models == {"vae/a": digest(b"one")}

    rewrite(model, b"two")
    assert (await identify_models(shelf, hashes, asked)).models is None
    await hashes.settle()
    assert (await identify_models(shelf, hashes, asked)).models == {"vae/a": digest(b"two")}
