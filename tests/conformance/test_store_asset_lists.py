"""Lists of assets: every page is compared with what plain Python makes of the same assets."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.conformance.conftest import NOW

from fireside.domain.accounts import User
from fireside.domain.asset_listing import AssetFilter, AssetSort, AssetWindow, SearchTooBroad
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import BadRequest
from fireside.domain.ids import AssetId, BlobHash, JobId, WorkerId
from fireside.domain.jobs import Job
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.tags import MAX_TAGS
from fireside.store.asset_verbs import AssetChange
from fireside.store.records import JobBody, NewJob, NodeRecord
from fireside.store.store import Store

KEYS: dict[AssetSort, Callable[[Asset], Any]] = {
    AssetSort.CREATED_AT: lambda asset: 0,
    AssetSort.NAME: lambda asset: asset.title.casefold().encode(),
    AssetSort.UPDATED_AT: lambda asset: asset.updated_at,
    AssetSort.SIZE: lambda asset: asset.size_bytes,
    AssetSort.LAST_ACCESS_TIME: lambda asset: asset.accessed_at,
}
NAMES = ("Photo", "straße", "ComfyUI", "a_b%c", 'say "it"', "日本語の写真")
TAGS = ("input", "output", "cat", "dog", "model_type:loras")


def made(user: User, number: int, chance: random.Random) -> Asset:
    return Asset(
        id=AssetId(UUID(int=chance.getrandbits(128))),
        user_id=user.id,
        file=FileName(folder=Folder.INPUT, subfolder="", name=f"{chance.choice(NAMES)} {number}.png"),
        hash=BlobHash(f"{chance.randrange(40):064x}"),
        size_bytes=chance.choice((1, 5, 5, 700, 12_345_678_901)),
        content_type="image/png",
        created_at=NOW + timedelta(seconds=number),
        updated_at=NOW + timedelta(seconds=chance.randrange(20)),
        accessed_at=NOW + timedelta(seconds=chance.randrange(5000)),
        tags=tuple(sorted(chance.sample(TAGS, chance.randrange(4)))),
        user_metadata=json.dumps({"seed": chance.randrange(3), "labels": ["x", "y"][: chance.randrange(3)]}).encode(),
    )


async def fill(store: Store, user: User, count: int, seed: int = 1) -> list[Asset]:
    chance = random.Random(seed)
    return [await store.add_asset(made(user, number, chance)) for number in range(count)]


def expected(
    assets: Sequence[Asset], matches: Callable[[Asset], bool], sort: AssetSort, *, descending: bool
) -> list[Asset]:
    found = sorted(filter(matches, assets), key=lambda asset: (KEYS[sort](asset), asset.created_at))
    return found[::-1] if descending else found


FILTERS: dict[str, tuple[AssetFilter, Callable[[Asset], bool]]] = {
    "all": (AssetFilter(), lambda _: True),
    "with": (AssetFilter(include=frozenset({"cat", "dog"})), lambda asset: {"cat", "dog"} <= set(asset.tags)),
    "without": (AssetFilter(exclude=frozenset({"cat"})), lambda asset: "cat" not in asset.tags),
    "any": (AssetFilter(any_of=frozenset({"cat", "dog"})), lambda asset: bool({"cat", "dog"} & set(asset.tags))),
    "name": (AssetFilter(name_contains="STRASSE"), lambda asset: "straße" in asset.title),
    "name, wildcard": (AssetFilter(name_contains="_b%"), lambda asset: "_b%" in asset.title),
    "name, quotes": (AssetFilter(name_contains='"it" 1'), lambda asset: '"it" 1' in asset.title),
    "name, short": (AssetFilter(name_contains="写"), lambda asset: "写" in asset.title),
    "name, digits": (AssetFilter(name_contains="photo 1"), lambda asset: "Photo 1" in asset.title),
    "name and tag": (
        AssetFilter(name_contains="photo", include=frozenset({"cat"})),
        lambda asset: "Photo" in asset.title and "cat" in asset.tags,
    ),
    "metadata": (AssetFilter(metadata={"seed": 2}), lambda asset: json.loads(asset.user_metadata)["seed"] == 2),
    "metadata, list": (
        AssetFilter(metadata={"labels": "y", "seed": [0, 1]}),
        lambda asset: (said := json.loads(asset.user_metadata)) and "y" in said["labels"] and said["seed"] in (0, 1),
    ),
    "metadata and name": (
        AssetFilter(metadata={"seed": 1}, name_contains="comfyui"),
        lambda asset: json.loads(asset.user_metadata)["seed"] == 1 and "ComfyUI" in asset.title,
    ),
    "metadata, name and tags": (
        AssetFilter(metadata={"labels": "x"}, name_contains="PHOTO", exclude=frozenset({"cat"})),
        lambda asset: (
            "x" in json.loads(asset.user_metadata)["labels"] and "Photo" in asset.title and "cat" not in asset.tags
        ),
    ),
    "metadata and tag": (
        AssetFilter(metadata={"seed": 0}, include=frozenset({"dog"})),
        lambda asset: json.loads(asset.user_metadata)["seed"] == 0 and "dog" in asset.tags,
    ),
    "metadata and number": (
        AssetFilter(metadata={"seed": 1}, name_contains="o 1"),
        lambda asset: json.loads(asset.user_metadata)["seed"] == 1 and "o 1" in asset.title,
    ),
    "metadata, two and name": (
        AssetFilter(metadata={"seed": 1, "labels": "x", "other": None}, name_contains="o"),
        lambda asset: (
            (said := json.loads(asset.user_metadata))["seed"] == 1
            and "x" in said["labels"]
            and "o" in asset.title.casefold()
        ),
    ),
    "metadata and no name": (AssetFilter(metadata={"seed": 1}, name_contains="walrus"), lambda _: False),
    "metadata and hash": (
        AssetFilter(metadata={"seed": 1}, hash=BlobHash(f"{7:064x}")),
        lambda asset: json.loads(asset.user_metadata)["seed"] == 1 and asset.hash == f"{7:064x}",
    ),
    "metadata, nothing": (AssetFilter(metadata={"seed": None}), lambda _: False),
    "metadata, none there": (AssetFilter(metadata={"other": None}), lambda _: True),
    "hash": (AssetFilter(hash=BlobHash(f"{7:064x}")), lambda asset: asset.hash == f"{7:064x}"),
    "jobs": (AssetFilter(job_ids=frozenset()), lambda _: False),
    "nothing": (AssetFilter(include=frozenset({"no such"})), lambda _: False),
}


async def test_every_page_of_every_filter_in_every_order_is_as_plain_python_has_it(
    store: Store, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = await fill(store, ann, 150)
    await fill(store, bob, 5, seed=2)
    # Second, no condition leaves few over; third, an order is always walked along; fourth, titles are not counted.
    for few, rows_of_facts, forms in ((4096, 4, 10_000), (20, 4, 10_000), (0, 1 << 40, 10_000), (20, 4, 1)):
        monkeypatch.setattr("fireside.store.asset_search._FEW", few)
        monkeypatch.setattr("fireside.store.asset_search._ROWS_OF_FACTS", rows_of_facts)
        monkeypatch.setattr("fireside.store.asset_search._MOST_FORMS", forms)
        for (wanted, matches), sort, descending in itertools.product(FILTERS.values(), AssetSort, (False, True)):
            rows = expected(assets, matches, sort, descending=descending)
            window = AssetWindow(sort=sort, descending=descending, limit=7, offset=3)
            page = await store.list_assets(ann.id, wanted, window)
            assert (list(page.assets), page.total) == (rows[3:10], len(rows))
            assert (page.next_after is None) == (len(rows) <= 10)
            if page.next_after is not None:
                follows = await store.list_assets(ann.id, wanted, replace(window, after=page.next_after))
                assert list(follows.assets) == rows[10:17]
                last = await store.list_assets(ann.id, wanted, replace(window, offset=len(rows) - 4))
                assert (list(last.assets), last.next_after) == (rows[-4:], None)


@pytest.mark.parametrize("metadata", [pytest.param({}, id="any"), pytest.param({"seed": 1}, id="with a fact")])
async def test_titles_without_digits_are_found_by_name_from_the_last_on(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch, metadata: dict[str, Any]
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", 0)
    assets = [replace(made(ann, n, random.Random(n)), title="castle", user_metadata=b'{"seed": 1}') for n in range(9)]
    for asset in assets:
        await store.add_asset(asset)

    window = AssetWindow(sort=AssetSort.NAME, descending=True, limit=3)
    page = await store.list_assets(ann.id, AssetFilter(name_contains="cast", metadata=metadata), window)

    assert (list(page.assets), page.total) == (assets[:-4:-1], 9)


async def test_a_large_library_is_listed_through_blocks_and_counted_exactly(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"_BLOCK_ROWS": 12, "_LARGE": 16, "_SMALL": 6, "_ROWS_AT_ONCE": 30}.items():
        monkeypatch.setattr(f"fireside.store.asset_blocks.{name}", value)
    limits = {"large": 16, "small": 6, "coarse_large": 40, "coarse_small": 20, "limit": 8}
    monkeypatch.setattr("fireside.store.asset_blocks._LIMITS", limits)
    monkeypatch.setattr("fireside.store.asset_orders._ROWS_SKIPPED", 4)
    assets = await fill(store, ann, 120)
    while await store.cut_large_libraries(at_least=100):
        pass
    chance = random.Random(3)
    for asset in chance.sample(assets, 50):
        await store.remove_asset(asset.id, user_id=ann.id)
        assets.remove(asset)
    for number, asset in enumerate(chance.sample(assets, 30)):
        change = AssetChange(
            title=f"changed {number}", add_tags=["dog"], remove_tags=["cat"], user_metadata=b'{"seed": 9, "labels": []}'
        )
        changed = await store.change_asset(asset.id, change, NOW + timedelta(days=1, seconds=number), user_id=ann.id)
        assert changed is not None
        assets[assets.index(asset)] = changed[1]
    await store.touch_assets([asset.id for asset in assets[:20]], NOW + timedelta(days=2))
    assets[:20] = [replace(asset, accessed_at=NOW + timedelta(days=2)) for asset in assets[:20]]
    assert await store.miscounted_assets(ann.id) == 0

    for is_evened_out in (False, True):
        while is_evened_out and await store.cut_large_libraries(at_least=100):
            pass
        assert await store.miscounted_assets(ann.id) == 0
        for sort, descending, offset in itertools.product(AssetSort, (False, True), range(0, 70, 9)):
            for kind in ("all", "with", "without", "any", "metadata", "metadata, name and tags"):
                wanted, matches = FILTERS[kind]
                rows = expected(assets, matches, sort, descending=descending)
                window = AssetWindow(sort=sort, descending=descending, limit=5, offset=offset)
                page = await store.list_assets(ann.id, wanted, window)
                assert (list(page.assets), page.total) == (rows[offset : offset + 5], len(rows))


async def test_more_sets_of_tags_than_one_query_merges_are_merged_all_the_same(store: Store, ann: User) -> None:
    assets = []
    for number, asset in enumerate([made(ann, n, random.Random(n)) for n in range(60)]):
        assets.append(await store.add_asset(replace(asset, tags=(f"tag {number % 40:02}",))))

    for sort, descending in itertools.product(AssetSort, (False, True)):
        page = await store.list_assets(
            ann.id, AssetFilter(), AssetWindow(sort=sort, descending=descending, offset=11, limit=20)
        )
        assert list(page.assets) == expected(assets, lambda _: True, sort, descending=descending)[11:31]


@pytest.mark.parametrize("few", [4096, 5])
async def test_tags_are_counted_over_what_a_filter_leaves_over(
    store: Store, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", few)
    assets = await fill(store, ann, 80)
    await fill(store, bob, 20, seed=5)

    for wanted, matches in FILTERS.values():
        counted = Counter(tag for asset in filter(matches, assets) for tag in asset.tags)
        assert await store.count_tags(ann.id, wanted) == counted


@pytest.mark.parametrize("counters", ["totals", "forms", "facts", "fact_forms"])
async def test_a_wrong_counter_is_noticed_and_put_right(store: Store, ann: User, counters: str) -> None:
    await fill(store, ann, 20)
    await store.cut_large_libraries(at_least=10)
    await store._database.decide(lambda tx: tx.run(f"clear_asset_{counters}", {"user_id": ann.id}))

    assert await store.miscounted_assets(ann.id) > 0
    await store.recount_assets(ann.id)
    assert await store.miscounted_assets(ann.id) == 0
    assert (await store.list_assets(ann.id, AssetFilter(), AssetWindow())).total == 20


async def test_a_search_that_would_look_at_too_many_is_refused_and_goes_on_by_a_cursor(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", 5)
    monkeypatch.setattr("fireside.store.asset_search.MOST_LOOKED_AT", 20)
    assets = [replace(made(ann, number, random.Random(number)), title=f"photo {number}") for number in range(100)]
    for asset in assets:
        await store.add_asset(asset)
    photos = AssetFilter(name_contains="photo")

    first = await store.list_assets(ann.id, photos, AssetWindow(limit=7))
    behind = await store.list_assets(ann.id, photos, AssetWindow(limit=7, after=first.next_after))
    last = await store.list_assets(ann.id, photos, AssetWindow(limit=7, offset=93))

    assert [asset.title for asset in behind.assets] == [f"photo {number}" for number in range(92, 85, -1)]
    assert [asset.title for asset in last.assets] == [f"photo {number}" for number in range(6, -1, -1)]
    assert first.total == behind.total == last.total == 100
    with pytest.raises(SearchTooBroad, match="use after"):
        await store.list_assets(ann.id, photos, AssetWindow(limit=7, offset=40))
    with pytest.raises(SearchTooBroad, match="Add a tag"):
        await store.count_tags(ann.id, AssetFilter(name_contains="photo", metadata={"seed": [0, 1, 2]}))


@pytest.mark.parametrize("sort", AssetSort)
async def test_a_fact_and_a_word_are_counted_without_looking_at_assets(
    store: Store, ann: User, monkeypatch: pytest.MonkeyPatch, sort: AssetSort
) -> None:
    monkeypatch.setattr("fireside.store.asset_search._FEW", 5)
    monkeypatch.setattr("fireside.store.asset_search.MOST_LOOKED_AT", 20)
    assets = [made(ann, number, random.Random(number)) for number in range(100)]
    assets = [
        replace(asset, title=f"photo {number}", tags=("cat",) if number % 2 else (), user_metadata=b'{"seed": 1}')
        for number, asset in enumerate(assets)
    ]
    for asset in assets:
        await store.add_asset(asset)
    photos = AssetFilter(name_contains="photo", metadata={"seed": 1})

    page = await store.list_assets(ann.id, photos, AssetWindow(sort=sort, limit=7))
    counted = await store.count_tags(ann.id, photos)

    rows = expected(assets, lambda _: True, sort, descending=True)
    assert (list(page.assets), page.total) == (rows[:7], 100)
    assert counted == {"cat": 50}


async def test_more_tags_than_an_asset_may_have_are_refused(store: Store, ann: User) -> None:
    (asset,) = await fill(store, ann, 1)
    change = AssetChange(add_tags=[f"tag {number}" for number in range(MAX_TAGS + 1)])

    with pytest.raises(BadRequest, match="at most 100 tags"):
        await store.change_asset(asset.id, change, NOW, user_id=ann.id)
    assert await store.asset(asset.id, user_id=ann.id) == asset


async def test_expired_assets_go_and_others_stay(store: Store, ann: User) -> None:
    assets = [made(ann, number, random.Random(number)) for number in range(4)]
    ends = (NOW, NOW + timedelta(hours=1), None, NOW - timedelta(hours=1))
    for asset, end in zip(assets, ends, strict=True):
        await store.add_asset(replace(asset, expires_at=end))

    assert await store.remove_expired_assets(NOW, limit=10) == 2
    page = await store.list_assets(ann.id, AssetFilter(), AssetWindow(descending=False))
    assert [asset.id for asset in page.assets] == [assets[1].id, assets[2].id]
    assert page.total == 2
    assert uuid4() not in {asset.id for asset in page.assets}


async def test_outputs_are_counted_and_go_with_their_job(store: Store, ann: User) -> None:
    await store.cut_large_libraries(at_least=1)
    jobs = [await started_job(store, ann, number) for number in range(3)]
    for job in jobs:
        await add_outputs(store, job, 3)
    assert await store.count_tags(ann.id) == {"output": 9}
    assert await store.cut_large_libraries(at_least=1) == 1
    by_job = await store.list_assets(ann.id, AssetFilter(job_ids=frozenset({jobs[0].id})), AssetWindow())
    assert by_job.total == 3

    await store.change_job(jobs[0], advance(jobs[0], Verb.RESCUE, NOW + timedelta(hours=1)))  # loses its outputs
    assert await store.count_tags(ann.id) == {"output": 6}
    assert await store.miscounted_assets(ann.id) == 0

    for job in jobs[1:]:
        await store.change_job(job, advance(job, Verb.SUCCEED, NOW + timedelta(hours=1), lease=job.lease))
    await store.delete_jobs(ann.id, [jobs[1].id])
    assert await store.count_tags(ann.id) == {"output": 3}
    assert await store.miscounted_assets(ann.id) == 0

    await store.delete_jobs(ann.id, None)
    assert await store.count_tags(ann.id) == {}
    assert await store.miscounted_assets(ann.id) == 0
    found = await store.list_assets(ann.id, AssetFilter(name_contains="comfyui"), AssetWindow())
    assert (list(found.assets), found.total) == ([], 0)


async def started_job(store: Store, user: User, number: int) -> Job:
    body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
    at = NOW + timedelta(seconds=number)
    job = await store.add_job(NewJob(id=JobId(uuid4()), user_id=user.id, body=body), at, max_queued=None)
    job = await store.change_job(job, advance(job, Verb.ASSIGN, at, worker_id=WorkerId("worker")))
    return await store.change_job(job, advance(job, Verb.START, at, lease=job.lease))


async def add_outputs(store: Store, job: Job, count: int) -> None:
    files = [
        Asset(
            id=AssetId(uuid4()),
            user_id=job.user_id,
            file=FileName(folder=Folder.OUTPUT, subfolder="", name="ComfyUI_00001_.png"),
            hash=BlobHash(f"{index:064x}"),
            size_bytes=5,
            content_type="image/png",
            created_at=NOW,
            origin=OutputOrigin(job_id=job.id, node_id="9", key="images", index=index),
        )
        for index in range(count)
    ]
    output = {"images": [{"filename": "ComfyUI_00001_.png", "subfolder": "", "type": "output"}] * count}
    await store.add_output(job, NodeRecord(node_id="9", display_node_id="9", output=output), files)
