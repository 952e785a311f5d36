"""Searches through assets that may not look at all of them: what they find, and what they refuse."""

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conformance.conftest import NOW
from tests.conformance.test_store_asset_lists import expected, made

from fireside.domain.accounts import User
from fireside.domain.asset_listing import AssetFilter, AssetSort, AssetWindow, SearchTooBroad
from fireside.domain.assets import Asset
from fireside.store.store import Store

MOST = 20
CASTLES = AssetFilter(name_contains="castle")


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.setattr("fireside.store.asset_search.FEW", 5)
    monkeypatch.setattr("fireside.store.asset_reading.FEW", 5)
    monkeypatch.setattr(store, "_most_looked_at", MOST)


async def added(store: Store, assets: Sequence[Asset]) -> list[Asset]:
    return [await store.add_asset(asset) for asset in assets]


async def cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the library into blocks of some twelve assets."""
    for name, value in {"blocks._BLOCK_ROWS": 12, "blocks._LARGE": 16, "ranges._BLOCK": 4}.items():
        monkeypatch.setattr(f"fireside.store.asset_{name}", value)
    limits = {"large": 16, "small": 6, "coarse_large": 40, "coarse_small": 20, "limit": 8}
    monkeypatch.setattr("fireside.store.asset_blocks._LIMITS", limits)
    while await store.cut_large_libraries(at_least=50):
        pass


def with_old_castles(user: User) -> list[Asset]:
    """Give assets of which the first third are castles, in every order."""
    assets: list[Asset] = []
    for number in range(120):
        chance = random.Random(number)
        word = chance.choice(("big", "small")) + " castle" if number < 40 else "river"
        at = NOW + timedelta(seconds=number // 2)
        order = {"size_bytes": 1 + number // 3, "updated_at": at, "accessed_at": at}
        tags = ("cat",) if number % 3 else ("dog",)
        title = f"a {word} 1{number:02}" if number < 40 else f"river {number + 100}"
        assets.append(replace(made(user, number, chance), title=title, tags=tags, **order))
    return assets


@pytest.mark.parametrize("is_cut", [pytest.param(False, id="whole"), pytest.param(True, id="in blocks")])
@pytest.mark.parametrize("tag", ["", "cat"])
async def test_a_word_is_found_wherever_its_titles_lie(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch, tag: str, *, is_cut: bool
) -> None:
    assets = await added(store, with_old_castles(ann))
    if is_cut:
        await cut(store, monkeypatch)
    wanted = replace(CASTLES, include=frozenset({tag} if tag else ()))

    for sort, descending, offset in itertools.product(AssetSort, (False, True), (0, 3, 11, 24)):
        window = AssetWindow(sort=sort, descending=descending, offset=offset, limit=4)
        rows = expected(
            assets, lambda one: "castle" in one.title and (not tag or tag in one.tags), sort, descending=descending
        )
        page = await store.list_assets(ann.id, wanted, window)
        assert (list(page.assets), page.total, page.is_total_exact) == (rows[offset : offset + 4], len(rows), True)
        assert page.next_after is not None or offset == 24
        if page.next_after is not None:
            follows = await store.list_assets(ann.id, wanted, replace(window, after=page.next_after))
            assert list(follows.assets) == rows[offset + 4 : offset + 8]


async def test_words_with_digits_are_found_by_cursors_without_an_exact_total(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = await added(store, with_old_castles(ann))
    await cut(store, monkeypatch)
    wanted = AssetFilter(name_contains="1")
    rows = expected(assets, lambda one: "1" in one.title, AssetSort.SIZE, descending=True)

    window = AssetWindow(sort=AssetSort.SIZE, limit=3)
    page = await store.list_assets(ann.id, wanted, window)
    behind = await store.list_assets(ann.id, wanted, replace(window, offset=2))
    found = list(page.assets)
    while page.next_after is not None:
        assert (page.total, page.is_total_exact) == (4, False)
        page = await store.list_assets(ann.id, wanted, replace(window, after=page.next_after))
        found += page.assets

    assert found == rows
    assert (list(behind.assets), behind.total, behind.is_total_exact) == (rows[2:5], 6, False)


async def test_a_search_that_finds_too_little_in_what_it_may_look_at_is_refused(store: Store, ann: User) -> None:
    assets = [
        replace(asset, user_metadata=json.dumps({"kind": "old" if number < 40 else "new", "seed": 1}).encode())
        for number, asset in enumerate(with_old_castles(ann))
    ]
    await added(store, assets)
    both = AssetFilter(metadata={"seed": 1, "kind": ["old", "older"]})
    window = AssetWindow(sort=AssetSort.SIZE, limit=3)

    with pytest.raises(SearchTooBroad, match="More than 20 assets"):
        await store.list_assets(ann.id, AssetFilter(name_contains="castle 1"), window)
    with pytest.raises(SearchTooBroad, match="the other way round"):
        await store.list_assets(ann.id, both, window)
    turned = await store.list_assets(ann.id, both, replace(window, descending=False))
    assert [asset.title for asset in turned.assets] == [asset.title for asset in assets[:3]]
    with pytest.raises(SearchTooBroad):
        await store.count_tags(ann.id, both)


@pytest.mark.parametrize("sort", AssetSort)
async def test_a_fact_is_found_wherever_it_lies(store: Store, ann: User, sort: AssetSort) -> None:
    assets = await added(
        store,
        [
            replace(asset, user_metadata=b'{"kind": "old"}' if number < 40 else b"{}")
            for number, asset in enumerate(with_old_castles(ann))
        ],
    )

    page = await store.list_assets(ann.id, AssetFilter(metadata={"kind": "old"}), AssetWindow(sort=sort, limit=5))

    rows = expected(assets, lambda one: b"old" in one.user_metadata, sort, descending=True)
    assert (list(page.assets), page.total, page.is_total_exact) == (rows[:5], 40, True)
