"""How an admin is told how the server is, over HTTP; and that no secret is among it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.databases import Databases

import fireside
from fireside.app import Assembly, assemble
from fireside.config import Config, load_settings
from fireside.domain.errors import StorageFull
from fireside.server.edge import build_edge
from fireside.server.shown_settings import shown_settings, without_credentials
from fireside.upkeep.loops import Loop

ORIGIN = "http://fireside.test"
SECRET = "s3cret/w@rd"


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[Assembly]:
    async with assemble(databases.config(tmp_path / "data"), public_url=ORIGIN) as assembly:
        yield assembly


async def _report(house: Assembly) -> dict[str, Any]:
    transport = httpx.ASGITransport(app=build_edge(house.services, as_admin=True))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        answer = await http.get("/admin/api/system")
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_versions_and_health_are_told(house: Assembly) -> None:
    report = await _report(house)

    versions = report["versions"]
    assert versions["fireside"] == fireside.__version__
    name = "PostgreSQL " if house.services.config.database_url else "SQLite 3."
    assert versions["database"].startswith(name)
    assert versions["schema"] > 1
    assert versions["nats"][0].isdigit()
    assert {one["name"]: one["state"] for one in report["health"]} == {
        "Database": "well",
        "Files": "well",
        "Bus": "well",
        "Leader": "warning",
        "Disk": report["health"][-1]["state"],
    }
    assert report["disk"]["free_bytes"] <= report["disk"]["total_bytes"]
    assert report["disk"]["database_bytes"] > 0
    assert report["backups"]["automatic"] is False
    assert report["backups"]["command"].startswith("fireside backup --to /backup --data-dir /")


async def test_a_walk_over_the_files_tells_their_size(house: Assembly) -> None:
    assert (await _report(house))["disk"]["blobs_bytes"] is None
    await house.services.accounts.first_admin()
    await house.services.blobs.write_bytes(b"0123456789", limit_bytes=None)

    await house.collector.step(house.services.clock())

    disk = (await _report(house))["disk"]
    assert (disk["blobs"], disk["blobs_bytes"]) == (1, 10)


async def test_a_duty_that_fails_is_told_until_it_is_done(house: Assembly) -> None:
    reason = ["the disk is full"]

    async def duty(now: object) -> None:
        if reason:
            raise StorageFull(reason[0])

    loop = Loop("tidying", duty, every_seconds=3600, clock=house.services.clock)
    house.loops.append(loop)
    assert (await _report(house))["loops"][0]["state"] == "resting"
    await loop.start()
    try:
        await loop.tick(house.services.clock())
        failing = (await _report(house))["loops"][0]
        reason.clear()
        await loop.tick(house.services.clock())
        done = (await _report(house))["loops"][0]
    finally:
        await loop.stop()

    assert (failing["state"], failing["trouble"]) == ("failing", "the disk is full")
    assert (done["state"], done["trouble"]) == ("running", "")
    assert (await _report(house))["loops"][0]["state"] == "resting"


async def test_a_bus_that_is_away_is_told(house: Assembly) -> None:
    await house.services.bus.close()

    report = await _report(house)

    assert report["versions"]["nats"] is None
    assert {one["name"]: one["state"] for one in report["health"]}["Bus"] == "problem"


def test_settings_say_where_they_came_from(tmp_path: Path) -> None:
    (tmp_path / "fireside.toml").write_text("port = 1\nmax_queued = 7\nlog_level = 'debug'\n")

    loaded = load_settings(
        {"data_dir": str(tmp_path), "port": 3, "workers": None}, {"FIRESIDE_PORT": "2", "FIRESIDE_MAX_QUEUED": "8"}
    )

    shown = {one.name: one for one in shown_settings(loaded.config, loaded.origins)}
    origins = {name: shown[name].origin for name in ("port", "max_queued", "log_level", "workers", "data_dir")}
    assert origins == {
        "port": "flag",
        "max_queued": "environment",
        "log_level": "file",
        "workers": "default",
        "data_dir": "flag",
    }
    assert (shown["port"].value, shown["max_queued"].value) == (3, 8)


def test_no_secret_is_shown() -> None:
    secrets = ("nats_account_seed", "secret_key", "oidc_client_secret", "metrics_token")
    config = Config(
        **dict.fromkeys(secrets, SECRET),
        database_url=f"postgresql://ada:{SECRET}@db.test/fireside?sslmode=require&password=s3cret",
        nats_url=f"nats://{SECRET}@one.test,nats://ada:{SECRET}@two.test",
        nats_worker_url=f"ada:{SECRET}@three.test:4222",
        comfyui_url=(f"http://ada:{SECRET}@127.0.0.1:8188",),
        comfyui_arguments=f"--lowvram --api-key {SECRET}",
    )

    shown = {one.name: one for one in shown_settings(config, {})}

    assert SECRET.encode() not in msgspec.json.encode(shown)
    assert "s3cret" not in str(shown)
    assert all(shown[name].value is None and shown[name].is_set for name in secrets)
    assert shown["database_url"].value == "postgresql://***@db.test/fireside?sslmode=require&password=***"
    assert shown["nats_url"].value == "nats://***@one.test,nats://***@two.test"
    assert shown["comfyui_url"].value == ["http://***@127.0.0.1:8188"]
    assert shown["comfyui_arguments"].value == "--lowvram --api-key ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://sso.example.org/realms/x", "https://sso.example.org/realms/x"),
        ("one.test:4222,two.test:4222", "one.test:4222,two.test:4222"),
        ("nats://a:p,w@one.test", "nats://***@one.test"),
        ("https://h.test/x?a=1&token=abc#f", "https://h.test/x?a=1&token=***#f"),
    ],
)
def test_an_address_keeps_what_is_no_secret(text: str, shown: str) -> None:
    assert without_credentials(text, is_address=True) == shown
