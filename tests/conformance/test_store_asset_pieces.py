"""Pieces of libraries: whatever happens to assets, what pieces tell is what plain Python counts."""

import asyncio
import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.conformance.conftest import NOW, OpenDatabase

from fireside.domain.accounts import Role, User
from fireside.domain.asset_listing import AssetFilter, AssetPage, AssetSort, AssetWindow
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.facts import conditions_of, facts_of, is_met
from fireside.domain.ids import AssetId, BlobHash, UserId
from fireside.store.asset_bits import by_keys, from_bits, places_of_titles, text_key, texts_of, to_bits
from fireside.store.asset_matches import EDITION
from fireside.store.asset_pieces import begin, keep, keep_columns, read
from fireside.store.asset_verbs import AssetChange
from fireside.store.store import Store

PLACES = 32
SETTINGS = {
    "asset_pieces.PIECE_PLACES": PLACES,
    "asset_pieces.PART_PLACES": PLACES // 4,
    "asset_pieces._CHANGED": 5,
    "asset_bits._COMMON": 3,
    "asset_bits._SPARSE": 1 / 4,
    "asset_search._FEW": 0,
    "asset_search._FEW_SORTED": 0,
    "asset_search._FAR_ALONG": 0,
    "asset_orders._DENSE": 2,
    "asset_orders._MANY_SETS": 0,
    "asset_orders._ROWS_SKIPPED": -1000,
    "asset_name_ranks._BETWEEN": 3,
    "asset_pieces._TOUCHED": 4,
    "asset_matches.MANY": 8,
    "asset_nearness._EVERY": 2,
    "asset_nearness._ENOUGH": 4,
    "asset_nearness._ROOM": -8,
    "asset_ranks._SOME": 4,
    "asset_ranks._AROUND": 1,
    "asset_ranks._GROWN": 3,
}
LIMITS = (
    "asset_bits._MOST_TEXTS",
    "asset_bits._MOST_FORMS",
    "asset_matches._MOST_UNSURE",
    "asset_name_ranks._MOST_ALIKE",
    "asset_name_ranks._MOST_WORDS",
    "asset_texts._MOST_DOUBTS",
)
TITLES = (
    "ComfyUI_000{n}_.png",
    "o {n}",
    "{n}1a-{n}",
    "写{n}",
    "11{n}11",
    "_12_x12",
    "castle",
    "abcab{n}",
    "abc cab bca",
    "ab1ab{n}a ab2a",
)
TAGS = ("input", "cat", "dog")
FILTERS = (
    AssetFilter(),
    AssetFilter(include=frozenset({"cat"})),
    AssetFilter(any_of=frozenset({"cat", "input"}), exclude=frozenset({"dog"})),
    AssetFilter(metadata={"seed": 1, "model": "a"}),
    AssetFilter(metadata={"seed": [0, 2]}),
    AssetFilter(metadata={"seed": [0, 1, 2], "model": ["b", "c"]}, include=frozenset({"cat"})),
    AssetFilter(metadata={"seed": 1, "model": None}, exclude=frozenset({"dog"})),
    AssetFilter(metadata={"seed": None, "model": None}),
    AssetFilter(metadata={"seed": [1, 2]}, any_of=frozenset({"cat", "dog"})),
    AssetFilter(metadata={"seed": 1, "model": "a"}, name_contains="1"),
    AssetFilter(metadata={"seed": 1, "model": "a"}, name_contains="o"),
    AssetFilter(metadata={"seed": [0, 2]}, name_contains="comfyui"),
    AssetFilter(metadata={"seed": [0, 1, 2], "model": None}, name_contains="abcab", include=frozenset({"input"})),
    *(
        AssetFilter(name_contains=text)
        for text in (
            "1",
            "12",
            "_0",
            "写1",
            "11a",
            "ui_0001",
            "comfyui_0",
            "12_x1",
            "0001",
            "ast",
            "astle",
            "bcabc",
            "ab1a",
        )
    ),
    AssetFilter(name_contains="2", include=frozenset({"input"}), exclude=frozenset({"cat"})),
)


@contextmanager
def small_pieces(**others: int) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**SETTINGS, **others}.items():
            patched.setattr(f"fireside.store.{name}", value)
        yield


@dataclass
class Library:
    """A user's assets in the store, and the same in create order."""

    store: Store
    user_id: UserId
    assets: list[Asset] = field(default_factory=list)
    made: int = 0

    async def record(self, count: int, variety: int) -> None:
        new = [self._made(variety) for _ in range(count)]
        self.assets += await asyncio.gather(*(self.store.add_asset(asset) for asset in new))

    async def change(self, index: int, change: AssetChange) -> None:
        if self.assets:
            at = index % len(self.assets)
            found = await self.store.change_asset(
                self.assets[at].id, change, NOW + timedelta(seconds=index % 7), user_id=self.user_id
            )
            assert found is not None
            self.assets[at] = found[1]

    async def remove(self, index: int, count: int) -> None:
        gone = self.assets[index : index + count] if index >= 0 else self.assets[-count:]
        for asset in gone:
            await self.store.remove_asset(asset.id, user_id=self.user_id)
            self.assets.remove(asset)

    async def touch(self, index: int, count: int) -> None:
        at = NOW + timedelta(seconds=index % 5 - 2)
        some = range(len(self.assets))[index : index + count]
        await self.store.touch_assets([self.assets[one].id for one in some], at)
        for one in some:
            self.assets[one] = replace(self.assets[one], accessed_at=max(at, self.assets[one].accessed_at))

    async def keep_up(self) -> None:
        while await self.store.cut_large_libraries(at_least=1) or await self.store.seal_large_libraries():
            pass

    async def check(self, sort: AssetSort, offset: int, *, descending: bool) -> None:
        for wanted in FILTERS:
            rows = sorted(filter(matching(wanted), self.assets), key=KEYS[sort], reverse=descending)
            window = AssetWindow(sort=sort, descending=descending, offset=offset, limit=4)
            page = await self.store.list_assets(self.user_id, wanted, window)
            assert shown(page) == ([asset.title for asset in rows[offset : offset + 4]], len(rows)), wanted
            if page.next_after is not None:
                follows = await self.store.list_assets(self.user_id, wanted, replace(window, after=page.next_after))
                assert shown(follows) == ([asset.title for asset in rows[offset + 4 : offset + 8]], len(rows)), wanted
        assert await self.store.miscounted_assets(self.user_id) == 0

    def _made(self, variety: int) -> Asset:
        self.made += 1
        number, kind = self.made, self.made * (variety + 1)
        title = TITLES[kind % len(TITLES)].format(n=number)
        said = {"seed": kind % 5, **({"model": "abc"[kind % 3]} if kind % 4 else {})} if kind % 7 else {}
        return Asset(
            id=AssetId(UUID(int=number)),
            user_id=self.user_id,
            file=FileName(folder=Folder.INPUT, subfolder="", name=f"{number}"),
            title=title,
            hash=BlobHash(f"{number:064x}"),
            size_bytes=number * 7 % 11,
            content_type="image/png",
            created_at=NOW + timedelta(seconds=number),
            updated_at=NOW + timedelta(seconds=number * 5 % 13),
            accessed_at=NOW + timedelta(seconds=number * 3 % 17),
            tags=tuple(tag for at, tag in enumerate(TAGS) if kind >> at & 1),
            user_metadata=json.dumps(said).encode(),
        )


KEYS: dict[AssetSort, Callable[[Asset], Any]] = {
    AssetSort.CREATED_AT: lambda asset: asset.created_at,
    AssetSort.SIZE: lambda asset: (asset.size_bytes, asset.created_at),
    AssetSort.NAME: lambda asset: (asset.title.casefold().encode(), asset.created_at),
    AssetSort.UPDATED_AT: lambda asset: (asset.updated_at, asset.created_at),
    AssetSort.LAST_ACCESS_TIME: lambda asset: (asset.accessed_at, asset.created_at),
}


def matching(wanted: AssetFilter) -> Callable[[Asset], bool]:
    conditions = conditions_of(wanted.metadata)
    return lambda asset: (
        wanted.wants_tags(frozenset(asset.tags))
        and wanted.name_contains in asset.title.casefold()
        and is_met(conditions, facts_of(json.loads(asset.user_metadata)))
    )


def shown(page: AssetPage) -> tuple[list[str], int]:
    return [asset.title for asset in page.assets], page.total


changes = st.builds(
    AssetChange,
    title=st.none() | st.sampled_from(["photo 12", "x", "1", "o 111"]),
    tags=st.none() | st.frozensets(st.sampled_from(TAGS)),
    user_metadata=st.none() | st.sampled_from([b"{}", b'{"seed": 1, "model": "a"}', b'{"seed": [1, 2]}']),
)
steps = st.one_of(
    st.tuples(st.just("record"), st.integers(1, 40), st.integers(0, 3)),
    st.tuples(st.just("change"), st.integers(0, 99), changes),
    st.tuples(st.just("remove"), st.integers(-1, 70), st.integers(1, 50)),
    st.tuples(st.just("touch"), st.integers(0, 70), st.integers(1, 9)),
    st.tuples(st.just("keep_up")),
)


limits = st.fixed_dictionaries({}, optional=dict.fromkeys(LIMITS, st.just(0)))


@settings(max_examples=12, deadline=None)
@example(
    history=[("keep_up",), ("remove", -1, 50), ("record", 40, 1), ("change", 3, AssetChange(title="o 111"))],
    sort=AssetSort.CREATED_AT,
    offset=2,
    descending=True,
    limits={},
)
@example(history=[("keep_up",)], sort=AssetSort.NAME, offset=5, descending=False, limits={})
@example(history=[("keep_up",)], sort=AssetSort.NAME, offset=5, descending=True, limits=dict.fromkeys(LIMITS, 0))
@given(
    history=st.lists(steps, max_size=12),
    sort=st.sampled_from(list(KEYS)),
    offset=st.integers(0, 9),
    descending=st.booleans(),
    limits=limits,
)
def test_pages_and_totals_are_those_of_plain_python_whatever_has_happened(
    open_database: OpenDatabase,
    history: Sequence[tuple[Any, ...]],
    sort: AssetSort,
    offset: int,
    descending: bool,
    limits: dict[str, int],
) -> None:
    async def compare() -> None:
        async with open_database() as database:
            store = Store(database)
            library = Library(store, (await store.add_user("ann", Role.MEMBER, NOW)).id)
            await library.record(3 * PLACES, 0)
            await library.keep_up()
            for verb, *values in history:
                await getattr(library, verb)(*values)
            await library.check(sort, offset, descending=descending)
            await library.keep_up()
            await library.check(sort, offset, descending=descending)

    with small_pieces(**limits):
        asyncio.run(compare())


@pytest.mark.parametrize("sort", AssetSort)
@pytest.mark.parametrize(
    "wanted",
    [
        AssetFilter(metadata={"seed": 1, "model": "a"}),
        AssetFilter(metadata={"seed": [0, 2]}, name_contains="o"),
        AssetFilter(metadata={"seed": [0, 1, 2, 3]}, name_contains="abcab"),
        AssetFilter(name_contains="1", include=frozenset({"cat"})),
        AssetFilter(name_contains="comfyui_0"),
    ],
    ids=range(5),
)
async def test_what_many_assets_have_is_listed_without_looking_at_each(
    store: Store, ann: User, wanted: AssetFilter, sort: AssetSort
) -> None:
    library = Library(store, ann.id)
    with small_pieces(**{"asset_search.MOST_LOOKED_AT": 1}):
        await library.record(5 * PLACES, 0)
        await library.keep_up()

        page = await store.list_assets(ann.id, wanted, AssetWindow(sort=sort, limit=3, offset=2))

    matching_ones = sorted(filter(matching(wanted), library.assets), key=KEYS[sort], reverse=True)
    assert shown(page) == ([asset.title for asset in matching_ones[2:5]], len(matching_ones))
    assert len(page.assets) == 3


async def test_a_piece_that_could_get_new_assets_is_not_sealed_any_more(store: Store, ann: User) -> None:
    library = Library(store, ann.id)
    with small_pieces():
        await library.record(3 * PLACES, 0)
        await library.keep_up()
        await library.remove(PLACES, PLACES)
        await library.remove(-1, PLACES)
        left = await store._database.look(lambda tx: tx.run("asset_pieces", {"user_id": ann.id, "edition": EDITION})[:])
        await library.record(PLACES, 0)

        assert [piece["first_place"] for piece in left] == [0]
        await library.check(AssetSort.CREATED_AT, 0, descending=True)


async def test_what_changes_while_a_piece_is_made_is_counted_right(store: Store, ann: User) -> None:
    library = Library(store, ann.id)
    piece = {"user_id": ann.id, "first_place": 0, "last_place": PLACES - 1, "turn": "ours"}
    with small_pieces():
        await library.record(2 * PLACES, 0)
        assert await store._database.decide(lambda tx: begin(tx, piece))
        found, columns = await store._database.look(lambda tx: read(tx, piece))
        await library.change(5, AssetChange(title="11", tags=["cat"], user_metadata=b'{"seed": 1, "model": "a"}'))
        await store._database.decide(lambda tx: keep(tx, piece, found.kept()))
        await store._database.decide(lambda tx: keep_columns(tx, piece, columns))
        await library.check(AssetSort.CREATED_AT, 0, descending=True)
        await store._write("seal_asset_piece", {**piece, "has_tags": True, "has_texts": True, "has_forms": True})
        await library.check(AssetSort.CREATED_AT, 0, descending=True)


async def test_what_somebody_else_has_begun_anew_is_not_sealed(store: Store, ann: User) -> None:
    library = Library(store, ann.id)
    piece = {"user_id": ann.id, "first_place": 0, "last_place": PLACES - 1, "turn": "ours"}
    with small_pieces():
        await library.record(2 * PLACES, 0)
        await store._database.decide(lambda tx: begin(tx, piece))
        await store._database.decide(lambda tx: begin(tx, {**piece, "turn": "theirs"}))
        await store._database.decide(lambda tx: keep(tx, piece, {"every": [1]}))
        await store._write("seal_asset_piece", {**piece, "has_tags": True, "has_texts": True, "has_forms": True})

        assert not await store._all("bits_of_asset_piece", piece)
        assert not await store._all("asset_pieces", {**piece, "edition": EDITION})


async def test_wrong_bits_are_noticed_and_put_right(store: Store, ann: User) -> None:
    library = Library(store, ann.id)
    with small_pieces():
        await library.record(3 * PLACES, 0)
        await library.keep_up()
        piece = {"user_id": ann.id, "first_place": PLACES, "last_place": 2 * PLACES - 1, "turn": "wrong"}
        await store._database.decide(lambda tx: begin(tx, piece))
        await store._database.decide(lambda tx: keep(tx, piece, {"every": [1]}))
        await store._write("seal_asset_piece", {**piece, "has_tags": True, "has_texts": True, "has_forms": True})

        assert await store.miscounted_assets(ann.id) == 1
        await store.recount_assets(ann.id)
        assert await store.miscounted_assets(ann.id) == 0
        await library.keep_up()
        await library.check(AssetSort.CREATED_AT, 0, descending=True)


@pytest.mark.once
@given(places=st.sets(st.integers(0, 8191)).map(sorted))
def test_bits_tell_the_places_they_were_made_of(places: list[int]) -> None:
    assert from_bits(to_bits(places, 1024), 1024) == places


@pytest.mark.once
@given(titles=st.lists(st.text("ab1 _9写", max_size=9), max_size=9).map(enumerate).map(list))
def test_all_parts_of_titles_up_to_three_characters_are_kept(titles: list[tuple[int, str]]) -> None:
    texts, _ = places_of_titles(titles)

    assert {key: sorted(places) for key, places in texts.items()} == by_keys(
        (place, map(text_key, texts_of(title))) for place, title in titles
    )
