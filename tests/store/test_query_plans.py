"""How SQLite goes about our queries: never through a table that grows with jobs, sorting only where we mean to."""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator

import pytest

from fireside.store.queries import load_migrations, load_queries
from fireside.store.sqlite import migrate

QUERIES = load_queries("sqlite")
# Tables of a few rows, read whole on purpose.
SMALL = {
    *("user", "user_share", "api_key", "worker", "published", "one", "leader", "health", "job_promoted", "pause"),
    *("join_token", "enrollment", "drained_worker", "removed_worker", "model"),
    *("schema_version", "pragma_page_count", "pragma_page_size"),
}
# Results of parts of a query: a page, values that were given, counted blocks.
INTERMEDIATE = {
    *("page", "file", "json_each", "axes", "touched", "wanted"),
    *("fine", "counted", "coarse", "placed", "found", "numbered"),
    *("fact", "last", "candidates", "few", "all_axes", "measured", "either"),
    *("next", "spread", "other", "part"),
}
# Of one block for thousands of assets; the other is an index, which SQLite always says to scan.
SPARSE = {"uneven_asset_blocks": {"asset_cut"}}
TITLES = "VIRTUAL TABLE INDEX"
# Indexes that hold only jobs that wait or run, and their users, and what is soon to be seen to.
WORK_IN_HAND = (
    *("USING INDEX job_held", "USING INDEX user_share_busy", "INDEX task_due", "INDEX webhook_due"),
    "INDEX equal_job_over",
)
NUMBERED = (
    *("tally_", "fill_", "actual_", "empty_blocks", "find_block", "queue_places", "spread_queue"),
    *("uneven_asset", "asset_forms_with"),
)
ORDERED = ("list_created", "list_idle", "list_run", "list_assets_by", "scan_assets")
UNSORTED = [
    *(query for query in QUERIES if query.startswith((*ORDERED, "walk_asset_fact"))),
    "newest_asset_names",
    "user_files_in_folder",
    "user_files_below",
    "newest_jobs_of_all",
    "created_places",
    "created_places_of_workflow",
    "label_places",
    "queued_jobs_of_user",
    "held_jobs_of_user",
    "first_ended_jobs",
    "ended_histories",
    "waiting_requirements",
]


@pytest.fixture(scope="module")
def raw() -> Iterator[sqlite3.Connection]:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    raw.create_function("unhex", 1, bytes.fromhex, deterministic=True)
    migrate(raw, load_migrations("sqlite"))
    yield raw
    raw.close()


def plan_of(raw: sqlite3.Connection, query: str) -> list[str]:
    params = dict.fromkeys(re.findall(r":(\w+)", QUERIES[query]), 1) | {"classes": json.dumps([3, 4])}
    return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {QUERIES[query]}", params)]


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_no_query_scans_a_table_that_grows_with_jobs(raw: sqlite3.Connection, query: str) -> None:
    plan = [step for step in plan_of(raw, query) if step.startswith("SCAN") and not step.endswith(WORK_IN_HAND)]
    plan = [step for step in plan if TITLES not in step or not step.startswith("SCAN asset_title ")]
    grown = {step.split()[1] for step in plan if not step.endswith(("CONSTANT ROW", "CONSTANT ROWS"))}

    if query.startswith(NUMBERED):
        # The six axes, or the user's queue, which this SQLite calls by a number and not by their name.
        grown = {name for name in grown if not name.startswith("(subquery-")}
    assert grown <= SMALL | INTERMEDIATE | SPARSE.get(query, set())


@pytest.mark.parametrize("query", UNSORTED)
def test_windows_the_index_has_in_order_sort_no_history(raw: sqlite3.Connection, query: str) -> None:
    plan = plan_of(raw, query)

    # The page itself, at most a window's worth of rows, may be sorted after the fact.
    before_page = plan[: next((n for n, step in enumerate(plan) if "SCAN page" in step), len(plan))]
    assert not any("TEMP B-TREE" in step for step in before_page), plan


@pytest.mark.parametrize("query", ["ended_jobs_by_ids", "delete_jobs", "tally_ended", "empty_blocks"])
def test_jobs_that_are_removed_are_found_by_their_ids(raw: sqlite3.Connection, query: str) -> None:
    reads = [step for step in plan_of(raw, query) if re.match(r"(SEARCH|SCAN) job ", step)]

    assert reads == ["SEARCH job USING INDEX sqlite_autoindex_job_1 (id=?)"]


@pytest.mark.parametrize("query", ["remove_block", "empty_blocks"])
def test_a_block_that_became_empty_is_found_by_its_whole_key(raw: sqlite3.Connection, query: str) -> None:
    (step,) = [step for step in plan_of(raw, query) if step.startswith("SEARCH job_block")]

    assert "(user_id=? AND workflow=? AND axis=? AND class=? AND block=?)" in step


def test_the_keys_of_a_window_come_from_the_index_alone(raw: sqlite3.Connection) -> None:
    uncovered: dict[str, list[str]] = defaultdict(list)
    for query in QUERIES:
        if query.startswith(ORDERED):
            uncovered[query] = [step for step in plan_of(raw, query) if re.search(r"(job|asset) USING INDEX", step)]

    assert not any(uncovered.values()), uncovered


def test_a_folder_is_listed_without_looking_at_folders_below_it(raw: sqlite3.Connection) -> None:
    (step,) = plan_of(raw, "user_files_in_folder")

    assert step.endswith("USING INDEX user_file_in_folder (user_id=? AND folder=? AND path>?)")
