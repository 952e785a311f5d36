"""The exam of `Store`, continued: the registry of models."""

from datetime import UTC, datetime

import pytest

from fireside.domain.ids import BlobHash
from fireside.domain.models import ModelName
from fireside.store.refusals import DuplicateModel
from fireside.store.store import Store

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ONE, TWO = ModelName("checkpoints", "sd15.safetensors"), ModelName("loras", "styles/Ink ü.safetensors")
BYTES, OTHERS = BlobHash("a" * 64), BlobHash("b" * 64)
LARGE = 2**40


async def test_models_are_kept_by_folder_and_name(store: Store) -> None:
    two = await store.add_model(TWO, BYTES, LARGE, "https://models.example/ink?v=1", NOW)
    one = await store.add_model(ONE, BYTES, 5, None, NOW)

    assert (two.name, two.hash, two.size_bytes, two.created_at) == (TWO, BYTES, LARGE, NOW)
    assert (one.source_url, two.source_url) == (None, "https://models.example/ink?v=1")
    assert await store.models() == [one, two]
    assert await store.model(TWO) == two
    assert await store.model(ModelName("loras", ONE.name)) is None


async def test_a_name_is_given_once(store: Store) -> None:
    first = await store.add_model(ONE, BYTES, 5, None, NOW)

    with pytest.raises(DuplicateModel):
        await store.add_model(ONE, OTHERS, 6, None, NOW)

    assert await store.models() == [first]


async def test_a_model_that_is_removed_leaves_its_name(store: Store) -> None:
    first = await store.add_model(ONE, BYTES, 5, None, NOW)

    assert await store.remove_model(ONE) == first
    assert await store.remove_model(ONE) is None
    assert await store.models() == []
    assert (await store.add_model(ONE, OTHERS, 6, None, NOW)).hash == OTHERS


async def test_bytes_of_a_model_are_in_use_until_its_last_name_is_gone(store: Store) -> None:
    for name in (ONE, TWO):
        await store.add_model(name, BYTES, 5, None, NOW)

    await store.remove_model(ONE)
    assert await store.is_blob_used(BYTES)
    assert await store.unused_blobs([BYTES, OTHERS]) == {OTHERS}

    await store.remove_model(TWO)
    assert not await store.is_blob_used(BYTES)
    assert await store.unused_blobs([BYTES]) == {BYTES}
