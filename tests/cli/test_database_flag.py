"""`--database-url`: which database it leads to, and who gets to see the password."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.postgres_server import PASSWORD, PostgresServer

NOWHERE = "postgresql://ann:hush@127.0.0.1:9/fireside"


@pytest.fixture
def name(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database without a table."""
    with postgres_server.database(template="template0") as url:
        yield postgres_server.name_of(url)


def users_in(postgres_server: PostgresServer, name: str) -> set[str]:
    with psycopg.connect(postgres_server.url(name)) as raw:
        return {user for (user,) in raw.execute('SELECT name FROM "user"')}


def test_the_flag_wins_and_the_password_may_come_apart_from_it(
    start_server: Any, postgres_server: PostgresServer, name: str, tmp_path: Path
) -> None:
    without_password = re.sub(r":[^:]*@", "@", postgres_server.tcp_url(name))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fireside.toml").write_text(f'database_url = "{NOWHERE}"')

    server = start_server(
        "--workers=0", f"--database-url={without_password}", FIRESIDE_DATABASE_URL=NOWHERE, PGPASSWORD=PASSWORD
    )
    server.add_user("ann")

    assert users_in(postgres_server, name) == {"admin", "ann"}


def test_a_start_in_the_background_takes_the_url_off_the_command_line(
    fireside: Any, postgres_server: PostgresServer, name: str, tmp_path: Path
) -> None:
    url = postgres_server.tcp_url(name)

    answer = fireside("up", "--background", "--port=0", "--workers=0", f"--database-url={url}")

    assert answer.returncode == 0, answer.stderr
    pid = json.loads((tmp_path / "fireside-data" / "server.json").read_text())["pid"]
    command = Path(f"/proc/{pid}/cmdline").read_text()
    assert fireside("down").returncode == 0
    assert "--workers=0" in command
    assert "database" not in command
    assert users_in(postgres_server, name) == {"admin"}


def test_a_url_that_cannot_be_read_is_refused_in_one_line_without_its_password(fireside: Any) -> None:
    answer = fireside("up", "--workers=0", "--database-url=postgresql://ann:hu/hush@localhost/fireside")

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "database_url cannot be read" in answer.stderr
    assert "hush" not in answer.stderr
