"""What was used as users see it of themselves and an admin of everybody, and quotas in each dialect."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import Databases
from tests.publishing import publish
from tests.server.v1.house import GRAPH, ORIGIN, Caller, House

from fireside.app import assemble
from fireside.domain.accounts import Role


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    config = databases.config(tmp_path / "data")
    async with assemble(config, public_url=ORIGIN) as assembly, AsyncExitStack() as doors:
        await publish(assembly.services.store)
        yield House(services=assembly.services, doors=doors, contract=None)


async def _used_up(house: House, **limits: Any) -> Caller:
    ann = await house.caller("ann", **limits)
    await house.succeed(await ann.submit(workflow_id="w"))
    return ann


async def _submit_v2(caller: Caller, **headers: str) -> httpx.Response:
    return await caller.http.post("/api/v2/jobs", json={"workflow": GRAPH}, headers=headers)


@pytest.mark.statement(110)
@pytest.mark.parametrize("path", ["/api/prompt", "/prompt"])
async def test_a_quota_that_is_used_up_answers_402_and_no_job_is_made(house: House, path: str) -> None:
    ann = await _used_up(house, quota_jobs=1)

    answer = await ann.http.post(path, json={"prompt": GRAPH})

    assert answer.status_code == 402
    body = answer.json()
    assert (body["error"]["type"], body["node_errors"], body["code"]) == ("PAYMENT_REQUIRED", {}, "over_quota")
    assert "begins anew on 1 " in body["error"]["message"]
    assert "ask your admin" in body["message"]
    assert len(await ann.listed()) == 1


async def test_it_answers_402_in_the_envelope_too_and_leaves_the_key_of_the_submit(house: House) -> None:
    ann = await _used_up(house, quota_jobs=1)
    key = {"Idempotency-Key": "k"}

    refused = await _submit_v2(ann, **key)

    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "insufficient_credits")
    await house.services.accounts.change_user(replace(ann.user, quota_jobs=2))
    assert (await _submit_v2(ann, **key)).status_code == 201


async def test_the_servers_quota_holds_for_who_has_none_and_0_is_no_limit(databases: Databases, tmp_path: Path) -> None:
    config = databases.config(tmp_path / "other", quota_jobs=1)
    async with assemble(config, public_url=ORIGIN) as assembly, AsyncExitStack() as doors:
        await publish(assembly.services.store)
        house = House(services=assembly.services, doors=doors, contract=None)
        ann = await _used_up(house)
        free = await house.caller("free", quota_jobs=0)

        assert (await ann.http.post("/api/prompt", json={"prompt": GRAPH})).status_code == 402
        assert [await free.submit() for _ in range(2)]


async def test_a_user_sees_what_they_used_by_day_key_and_workflow(house: House) -> None:
    ann = await _used_up(house, quota_gpu_seconds=60)
    await house.caller("bob")
    (key,) = await house.services.accounts.keys(ann.user)

    body = await ann.get("/api/usage")

    (day,) = body["days"]
    assert (day["user"], day["key_id"], day["jobs"]) == ("ann", key.id, 1)
    assert 0 < body["total"]["gpu_seconds"] <= 0.1
    assert [(one["workflow_id"], one["jobs"]) for one in body["workflows"]] == [("w", 1)]
    assert body["this_month"]["quota"] == {"gpu_seconds": 60, "jobs": None, "stored_bytes": None}
    assert body["this_month"]["used"]["jobs"] == 1
    empty = await ann.get("/api/usage", **{"from": "2020-01-01", "to": "2020-01-31"})
    assert (empty["days"], empty["total"]["jobs"], empty["workflows"]) == ([], 0, [])


@pytest.mark.parametrize(
    "days", ["from=2026-13-01", "from=yesterday", "from=2026-02-01&to=2026-01-01", "from=0001-01-01"]
)
async def test_days_that_are_none_are_refused_with_what_they_are(house: House, days: str) -> None:
    ann = await house.caller("ann")
    for path in ("/api/usage", "/api/usage.csv"):
        answer = await ann.http.get(f"{path}?{days}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), answer.text


async def test_an_admin_sees_everybodys_and_a_table_has_no_formulas(house: House) -> None:
    ann = await house.caller("ann")
    _, secret = await house.services.accounts.create_key(ann.user, "=HYPERLINK(1)")
    by_key = await house.client({"X-API-Key": secret})
    await house.succeed((await by_key.post("/api/prompt", json={"prompt": GRAPH})).json()["prompt_id"])
    root = await house.caller("root", role=Role.ADMIN)
    await house.succeed(await root.submit())

    body = await root.get("/admin/api/usage")
    of_ann = await root.get("/admin/api/usage", user="ann")
    table = (await root.http.get("/admin/api/usage.csv")).text

    assert body["total"]["jobs"] == 2
    assert set(body["stored_bytes"]) == {"ann", "root"}
    assert {day["user"] for day in of_ann["days"]} == {"ann"}
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {(row["user"], row["key"]) for row in rows} >= {("ann", "'=HYPERLINK(1)")}
    own = await ann.http.get("/api/usage.csv")
    assert own.headers["content-type"].startswith("text/csv")
    assert "root" not in own.text
    assert (await root.http.get("/admin/api/usage?user=nobody")).status_code == 404


async def test_a_quota_is_changed_by_the_admin_and_refused_below_zero(house: House) -> None:
    root = await house.caller("root", role=Role.ADMIN)
    await house.caller("ann")

    changed = await root.http.patch("/admin/api/users/ann", json={"quota_gpu_seconds": 3600, "quota_bytes": 0})
    wrong = await root.http.patch("/admin/api/users/ann", json={"quota_jobs": -1})

    assert (changed.json()["quota_gpu_seconds"], changed.json()["quota_bytes"]) == (3600, 0)
    assert changed.json()["quota_jobs"] is None
    assert (wrong.status_code, "quota_jobs" in wrong.json()["message"]) == (400, True)
