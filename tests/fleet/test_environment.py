"""What the processes that a server starts know of its environment."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nkeys
import pytest
from tests.postgres_server import PASSWORD, PostgresServer

from fireside.config import settings, variable_of

SECRETS = {
    "FIRESIDE_SECRET_KEY": "5ec2e7" * 10 + "abcd",
    "FIRESIDE_OIDC_CLIENT_SECRET": "a secret that the provider gave",
    "FIRESIDE_NATS_ACCOUNT_SEED": nkeys.encode_seed(b"5ec2e7" * 5 + b"xy", nkeys.PREFIX_BYTE_ACCOUNT).decode(),
    "FIRESIDE_METRICS_TOKEN": "5ec2e7" * 7,
    "FIRESIDE_OTLP_HEADERS": "x-key=the key of a collector",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-key=the other key of a collector",
    "PGPASSWORD": PASSWORD,
    "AWS_SECRET_ACCESS_KEY": "5ec2e7" * 6,
}


@pytest.fixture
def secrets(postgres_server: PostgresServer) -> Iterator[Mapping[str, str]]:
    """A secret in every variable that may hold one, with which a server can start."""
    with postgres_server.database() as url:
        yield {**SECRETS, "FIRESIDE_DATABASE_URL": url}


def family_of(pid: int) -> list[int]:
    """The process and all that came of it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family_of(int(child)))]


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def test_every_secret_setting_is_among_them(secrets: Mapping[str, str]) -> None:
    assert {variable_of(row.name) for row in settings() if row.secret} <= secrets.keys()


def test_no_process_that_a_server_starts_has_its_secrets(start_server: Any, secrets: Mapping[str, str]) -> None:
    server = start_server("--workers=1", FIRESIDE_SESSION_DAYS="7", **secrets)

    pid, *started = family_of(server.process.pid)

    environments = [environment_of(one) for one in started]
    names = [Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ") for one in started]
    assert len(started) >= 3, names
    assert any(re.search(r" worker ", name) for name in names)
    assert environment_of(pid).items() >= secrets.items()
    assert all(environment["FIRESIDE_SESSION_DAYS"] == "7" for environment in environments)
    for value in secrets.values():
        assert not any(value in " ".join(environment.values()) for environment in environments)
