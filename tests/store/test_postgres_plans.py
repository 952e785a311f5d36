"""How PostgreSQL goes about our queries over a history of some size: by an index, and merging where it could sort."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from tests.postgres_server import PostgresServer

from fireside.store.postgres import prepare
from fireside.store.postgres_link import RawConnection, connect, read_url
from fireside.store.queries import load_queries

QUERIES = load_queries("postgres")
LISTS = [query for query in QUERIES if query.startswith(("list_created", "list_idle", "list_run"))]
# Tables of a few rows, read whole on purpose.
SMALL = {"user_share", "api_key", "worker", "published", "leader", "health", "job_promoted", "removed_worker"}
HISTORY = """
INSERT INTO "user" (name, role, weight, created_at) SELECT n::text, 'member', 1, 1 FROM generate_series(1, 20) AS n;
INSERT INTO user_share (user_id) SELECT id FROM "user";
INSERT INTO job (
    pk, id, user_id, class, run_us, state, number, created_at, changed_at, started_at, ended_at, workflow_id
)
SELECT (1::bigint << 40) | n, gen_random_uuid(), 1, 17, n % 97, 'succeeded', n, 1, 1, 1, 1 + n % 97, 'w' || n % 5
FROM generate_series(1, 20000) AS n;
INSERT INTO user_file (user_id, path, folder, hash, size_bytes, created_at, modified_at)
SELECT 1, folder || '/' || n, folder, repeat('a', 64), 1, 1, 1
FROM generate_series(1, 10000) AS n, (VALUES ('w/deep'), ('x')) AS folders (folder);
INSERT INTO tag_set (user_id, tag_set, tags) SELECT u, 1, '["input"]' FROM generate_series(1, 10) AS u;
INSERT INTO asset (
    pk, place, tag_set, tags, title, folded, user_metadata, updated_at, accessed_at, id, user_id, folder, subfolder,
    name, hash, size_bytes, content_type, created_at
)
SELECT (u::bigint << 40) | n, n, 1, '["input"]', 'picture ' || n, 'picture ' || n, '{}', n, n, gen_random_uuid(), u,
    'input', '', 'picture ' || n, lpad(to_hex(n), 64, '0'), n, 'image/png', 1
FROM generate_series(1, 2000) AS n, generate_series(1, 10) AS u;
INSERT INTO asset_fact (asset_pk, fact) SELECT pk, place % 100 FROM asset;
UPDATE asset SET job_id = job.id, node_id = '9', output_key = 'images', output_index = 0 FROM job
WHERE asset.user_id = 2 AND job.number = asset.place;
INSERT INTO job_body (job_pk, graph, extra_data, outputs) SELECT pk, '', '', '' FROM job;
INSERT INTO job_event (job_pk, kind, at, data)
SELECT pk, kind, 1, '' FROM job, (VALUES ('queued'), ('running')) AS kinds (kind);
INSERT INTO job_output (job_pk, node_id, display_node_id, output) SELECT pk, '9', '9', '' FROM job;
INSERT INTO job_input (job_pk, position, value, hash, size_bytes)
SELECT pk, 1, 'a', lpad(to_hex(pk), 64, '0'), 1 FROM job;
INSERT INTO job_attempt (job_pk, attempt, fence, worker_id, assigned_at) SELECT pk, 1, 1, 'w', 1 FROM job;
INSERT INTO job_work (job_pk, work) SELECT pk, decode(lpad(to_hex(pk), 64, '0'), 'hex') FROM job;
INSERT INTO equal_job (job_pk, user_id, work) SELECT job_pk, 1, work FROM job_work;
INSERT INTO job_label (job_pk, key, value) SELECT pk, 'all', 'x' FROM job;
INSERT INTO named_run (job_pk, workflow, inputs, outputs) SELECT pk, 'w', '', '' FROM job;
INSERT INTO webhook (user_id, url, events, is_standing, created_at) SELECT id, 'u', 1, TRUE, 1 FROM "user";
INSERT INTO webhook_delivery (webhook_pk, user_id, job_id, message_id, event, data, created_at, state, over_at)
SELECT webhook.pk, 1, job.id, gen_random_uuid(), 1, '', 1, 'delivered', 1 FROM job, webhook WHERE webhook.user_id = 1;
INSERT INTO job_webhook (job_pk, webhook_pk) SELECT job.pk, webhook.pk FROM job, webhook WHERE webhook.user_id = 1;
INSERT INTO run_estimate (fingerprint, seconds) SELECT n::text, 1 FROM generate_series(1, 5000) AS n;
INSERT INTO requirement (id, body) SELECT gen_random_uuid(), '' FROM generate_series(1, 5000);
INSERT INTO blob_metadata (hash, metadata) SELECT lpad(to_hex(n), 64, '0'), '' FROM generate_series(1, 5000) AS n;
INSERT INTO task (id, user_id, name, key, payload, status, created_at, changed_at, ended_at)
SELECT gen_random_uuid(), 1, 't', n::text, '', 'completed', 1, 1, 1 FROM generate_series(1, 5000) AS n;
INSERT INTO session (digest, user_id, created_at, expires_at)
SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), 1, 1, 1 FROM generate_series(1, 5000, 2) AS n;
INSERT INTO audit_entry (at, actor_id, actor, way, address, action, target, details)
SELECT 1, 1, 'a', 'k', '', 'b', '', '{}' FROM generate_series(1, 5000);
"""
# What has no end of its own, and grows with what people do.
GROWING = {
    *("job", "job_body", "job_event", "job_output", "job_input", "job_attempt", "job_work", "equal_job", "job_label"),
    *(
        "named_run",
        "webhook_delivery",
        "job_webhook",
        "run_estimate",
        "requirement",
        "asset",
        "asset_fact",
        "user_file",
    ),
    *("blob_metadata", "session", "audit_entry"),
}
# Indexes that hold only what is in hand.
IN_HAND = {"job_held", "equal_job_over"}


@pytest.fixture(scope="module", params=["postgres_server", "debians_postgres_server"])
def raw(request: pytest.FixtureRequest) -> Iterator[RawConnection]:
    server: PostgresServer = request.getfixturevalue(request.param)
    with server.database() as url, connect(read_url(url)) as raw:
        raw.execute(HISTORY.encode())  # type: ignore[arg-type]
        raw.execute("VACUUM ANALYZE")
        yield raw


def explained(raw: RawConnection, query: str, options: str) -> list[Any]:
    rows = raw.execute(f"EXPLAIN ({options}) {query}".encode()).fetchall()  # type: ignore[arg-type]
    return [row[0] for row in rows]


@pytest.fixture(scope="module")
def plans(raw: RawConnection) -> Mapping[str, list[str]]:
    return {name: generic_plan(raw, name, text) for name, text in QUERIES.items()}


def generic_plan(raw: RawConnection, name: str, text: str) -> list[str]:
    """The plan for whatever values, which is the one that our connections are told to make."""
    prepared = prepare(text)
    raw.execute(f"PREPARE plan_{name} AS {prepared.sql}".encode())  # type: ignore[arg-type]
    values = f"({', '.join(['NULL'] * len(prepared.names))})" if prepared.names else ""
    return explained(raw, f"EXECUTE plan_{name} {values}", "COSTS OFF")


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_no_query_scans_a_table_that_grows(plans: Mapping[str, list[str]], query: str) -> None:
    scanned = {found[1] for step in plans[query] if (found := re.search(r"Seq Scan on (\w+)", step))}

    assert scanned <= SMALL


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_no_query_reads_a_whole_index_of_a_table_that_grows(plans: Mapping[str, list[str]], query: str) -> None:
    assert {index for index, table in whole_indexes(plans[query]) if table in GROWING} <= IN_HAND


def whole_indexes(plan: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The indexes that are read without a condition, and their tables."""
    for step, below in itertools.pairwise([*plan, ""]):
        found = re.search(r"Index (?:Only )?Scan (?:Backward )?using (\S+) on (\S+)", step)
        if found and not below.strip().startswith("Index Cond"):
            yield found[1], found[2]


@pytest.mark.parametrize("query", LISTS)
def test_a_window_merges_ranges_of_indexes_and_sorts_only_the_page(plans: Mapping[str, list[str]], query: str) -> None:
    steps = [step.strip().removeprefix("->  ") for step in plans[query]]
    keys = steps[steps.index("Limit") + 1 :]

    assert keys[0] == "Merge Append"
    ranges = [step for step in keys if "using job_ended" in step or "using job_active" in step]
    assert len(ranges) == 18 if "list_run" in query else 20
    assert all(step.startswith("Index Only Scan") for step in ranges)
    assert not any("Sort" in step and "Sort Key" not in step for step in keys)


@pytest.mark.parametrize("query", [query for query in QUERIES if query.startswith("walk_asset_fact")])
def test_what_has_a_fact_is_read_in_the_order_of_an_index(plans: Mapping[str, list[str]], query: str) -> None:
    steps = [step.strip().removeprefix("->  ") for step in plans[query]]

    keys = steps[steps.index("Limit") + 1 :]
    in_order = r"Index (Only )?Scan (Backward )?using asset_fact_(created|named|updated|sized|accessed) "
    assert [bool(re.match(in_order, step)) for step in keys].count(True) == 1
    assert not any("Sort" in step for step in keys)


@pytest.mark.parametrize("query", ["queued_jobs_of_user", "held_jobs_of_user"])
def test_a_queue_is_read_in_the_order_of_its_index(plans: Mapping[str, list[str]], query: str) -> None:
    assert not any("Sort" in step for step in plans[query])


def test_the_first_page_touches_few_rows_of_a_long_history(raw: RawConnection) -> None:
    prepared = prepare(QUERIES["list_created_descending"])
    values = dict.fromkeys(prepared.names, -1) | {"user_id": 1, "ended_0": 17, "bound": 1 << 62, "limit": 10}
    values["offset"] = 0
    raw.execute(f"PREPARE page AS {prepared.sql}".encode())  # type: ignore[arg-type]
    call = f"EXECUTE page ({', '.join(str(values[name]) for name in prepared.names)})"

    (plan,) = explained(raw, call, "ANALYZE, FORMAT JSON")[0]

    assert most_rows(plan["Plan"]) == 10


def most_rows(node: Mapping[str, object]) -> float:
    """The most rows that one step of a plan gave."""
    below = node.get("Plans", [])
    assert isinstance(below, list)
    rows = node["Actual Rows"]
    assert isinstance(rows, int | float)
    return max([rows, *(most_rows(one) for one in below)])


@pytest.mark.parametrize("query", ["first_ended_jobs", "ended_histories"])
def test_what_is_to_be_pruned_is_found_in_few_rows_of_a_long_history(raw: RawConnection, query: str) -> None:
    prepared = prepare(QUERIES[query])
    values = {"user_id": 1, "after": 0, "limit": 20}
    raw.execute(f"PREPARE {query} AS {prepared.sql}".encode())  # type: ignore[arg-type]
    call = f"EXECUTE {query} ({', '.join(str(values[name]) for name in prepared.names)})"

    (plan,) = explained(raw, call, "ANALYZE, FORMAT JSON")[0]

    assert most_rows(plan["Plan"]) == 20
    assert "job_ended_at" in str(plan)


@pytest.mark.parametrize("query", ["ended_jobs_by_ids", "delete_jobs", "tally_ended", "empty_blocks"])
def test_jobs_that_are_removed_are_found_by_their_ids(plans: Mapping[str, list[str]], query: str) -> None:
    reads = [step for step in plans[query] if re.search(r" on job( |$)", step) and "Delete" not in step]

    assert reads
    assert all('using "job.id"' in step for step in reads)


def test_blocks_that_became_empty_are_looked_up_one_by_one(plans: Mapping[str, list[str]]) -> None:
    steps = "\n".join(plans["empty_blocks"])

    assert re.search(
        r"Index Scan using job_block_pkey on job_block\n +Index Cond: \(\(user_id = touched.user_id\) AND .*block = ",
        steps,
    )


def test_a_folder_is_listed_without_looking_at_folders_below_it(plans: Mapping[str, list[str]]) -> None:
    plan = "\n".join(plans["user_files_in_folder"])

    assert "Index Scan using user_file_in_folder" in plan
    assert "Sort" not in plan
