"""A whole server as a process of its own, for tests that stop, kill or fuzz one.

It is started as people start it; its ports come from the kernel, and its session is ended with the test.
"""

import fcntl
import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from tests.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.ordering import slow_first
from tests.postgres_server import PostgresServer, find_debians_programs, running_server
from websockets.sync.client import ClientConnection, connect

from fireside.dispatch import dispatcher
from fireside.jobs import assign, cancel, model_details, reuse
from fireside.runtimes.comfyui import connection
from fireside.runtimes.comfyui.ports import Port
from fireside.server import enrolling

# Each may have a PostgreSQL, a Chromium and a real ComfyUI at once.
_MOST_PROCESSES = 8
_READY_SECONDS = 240.0
_STOP_SECONDS = 120.0
_ANSWER_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_DATABASES = pytest.StashKey[Databases]()
_NETWORK = Path(tempfile.gettempdir()) / f"fireside-tests-network-{os.getuid()}.lock"

# How long an example takes says how busy the machine is. Where `CI` is set, Hypothesis has a profile like this.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if "CI" not in os.environ:
    settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="What tests that open a store or start a server have it on; `-m database` runs these alone.",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Let half as many again as there are processors run tests with `-n auto`: most wait, for processes and disks."""
    return min((3 * (os.cpu_count() or 1) + 1) // 2, _MOST_PROCESSES)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, object, object]:
    """Mark the tests whose outcome may depend on the database, and begin with what takes long."""
    for item in items:
        if "databases" in getattr(item, "fixturenames", ()) and item.get_closest_marker("once") is None:
            item.add_marker(pytest.mark.database)
    result = yield
    items[:] = slow_first(items)
    return result


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep Python from searching ten thousand tests for garbage again and again: they stay until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the network stay as it is while a browser is open, also over several processes.

    Chromium gives up all that it loads, from loopback too, when the machine gets another address or loses one.
    """
    changes = item.get_closest_marker("network") is not None
    if not changes and item.get_closest_marker("browser") is None:
        return (yield)
    with _NETWORK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if changes else fcntl.LOCK_SH)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Drop the databases that a test leaves, and see to it that it had its stores from `databases`."""
    folder: Path | None = getattr(item, "funcargs", {}).get("tmp_path")
    yield
    databases = item.config.stash.get(_DATABASES, SqliteDatabases())
    if folder is not None and item.get_closest_marker("sqlite") is None:
        assert not databases.strangers(folder), (
            "open stores by the fixture `databases`, or mark a test that is about SQLite's file with `sqlite`"
        )
        databases.forget(folder)


@dataclass
class ServerProcess:
    """One data folder, and the process that serves it while there is one."""

    data_dir: Path
    options: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    before: Sequence[str] = ()
    process: "subprocess.Popen[bytes] | None" = None
    url: str = ""
    # Kept for it also while it is down: others on this machine take free ones all the time.
    port: Port = field(default_factory=Port)
    clients: list[httpx.Client] = field(default_factory=list[httpx.Client])

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "server.json").unlink(missing_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRESIDE_")}
        with (self.data_dir / "test.log").open("ab") as log:
            command = [*self.before, sys.executable, "-m", "fireside.cli.main", "up", f"--data-dir={self.data_dir}"]
            if not any(option.startswith("--port") for option in self.options):
                command.append(f"--port={self.port.number}")
            self.process = subprocess.Popen(
                [*command, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean | self.environment,
                start_new_session=True,
            )
        self.url = self._wait_until_ready()["url"]

    def stop(self) -> int:
        """End it in order and give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(_STOP_SECONDS)

    def close(self) -> None:
        """Leave nothing of it."""
        for client in self.clients:
            client.close()
        self.kill()
        self.port.free()

    def children(self, word: str) -> list[int]:
        """The pids of the server's own children whose command line holds the word."""
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in listed if word in _command_line(int(pid))]

    def client(self, key: str | None = None) -> httpx.Client:
        """A client of the public port, closed with the server; without a key the admin's."""
        # To read the certificates of the world takes longer than most requests; who waits for something asks often.
        is_https = self.url.startswith("https:")
        headers = {"X-API-Key": key or self.key_of("admin")}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=90, verify=is_https)
        self.clients.append(client)
        return client

    def key_of(self, user: str) -> str:
        """Make a key for a user who is there."""
        with self._admin() as admin:
            return admin.post("/admin/api/keys", json={"user": user}).raise_for_status().json()["key"]

    def add_user(self, name: str, **more: Any) -> str:
        """Make a user, and give a key of theirs."""
        with self._admin() as admin:
            admin.post("/admin/api/users", json={"name": name, **more}).raise_for_status()
        return self.key_of(name)

    def login_link(self, user: str) -> str:
        """Make an address that signs a browser in as the user, once."""
        with self._admin() as admin:
            return admin.post("/admin/api/login-link", json={"user": user}).raise_for_status().json()["url"]

    def change_user(self, name: str, **changes: Any) -> None:
        """Change what a user may."""
        with self._admin() as admin:
            admin.patch(f"/admin/api/users/{name}", json=changes).raise_for_status()

    @contextmanager
    def watch(self, key: str, client_id: str = "watcher") -> Generator[ClientConnection]:
        """Open the websocket as the owner of the key."""
        address = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={client_id}&token={key}"
        with connect(address, max_size=None) as socket:
            yield socket

    def log(self) -> str:
        return (self.data_dir / "test.log").read_text(errors="replace")

    def _admin(self) -> httpx.Client:
        socket = os.path.relpath(self.data_dir / "admin.sock")
        transport = httpx.HTTPTransport(uds=socket, verify=False)
        return httpx.Client(transport=transport, base_url="http://localhost", timeout=90)

    def _wait_until_ready(self) -> dict[str, Any]:
        assert self.process is not None
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(FileNotFoundError, msgspec.DecodeError):
                return msgspec.json.decode((self.data_dir / "server.json").read_bytes())
            if self.process.poll() is not None:
                break
            time.sleep(_LOOK_SECONDS)
        raise AssertionError(f"the server did not become ready:\n{self.log()[-4000:]}")


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Let nobody in this process think that another one is not there because the machine is busy.

    Tests of those who do not answer set these spans themselves.
    """
    spans = (
        (assign, "_ANSWER_SECONDS"),
        (cancel, "_TELL_SECONDS"),
        (connection, "_DEVICES_SECONDS"),
        (dispatcher, "_ECHO_SECONDS"),
        (enrolling, "_ANSWER_SECONDS"),
        (model_details, "_ASK_SECONDS"),
        (reuse, "_ASK_SECONDS"),
    )
    with pytest.MonkeyPatch.context() as patch:
        for module, name in spans:
            patch.setattr(module, name, _ANSWER_SECONDS)
        yield


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The databases of this run; see there."""
    chosen: Databases = SqliteDatabases()
    if request.config.getoption("database") == "postgres":
        chosen = PostgresDatabases(request.getfixturevalue("postgres_server"))
    request.config.stash[_DATABASES] = chosen
    yield chosen
    chosen.forget(Path("/"))


MakeServer = Callable[..., Any]


@pytest.fixture(scope="session")
def make_server(databases: Databases) -> MakeServer:
    """Open a server for a module's own fixture: `with make_server(folder, *options, **environment) as server`."""

    @contextmanager
    def make(data_dir: Path, *options: str, **environment: str) -> Generator[ServerProcess]:
        server = ServerProcess(data_dir, options, databases.environment(data_dir) | environment)
        try:
            server.start()
            yield server
        finally:
            server.close()

    return make


StartServer = Callable[..., Any]


@pytest.fixture
def start_server(tmp_path: Path, databases: Databases) -> Iterator[StartServer]:
    """Start servers that are gone with the test: `start_server(*options, name="a", **environment)`."""
    started: list[ServerProcess] = []

    def start(*options: str, name: str = "data", **environment: str) -> ServerProcess:
        data_dir = tmp_path / name
        server = ServerProcess(data_dir, options, databases.environment(data_dir) | environment)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[ServerProcess]:
    """One server with one worker for the tests of a module that leave it as they found it."""
    with make_server(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL for all tests; each takes a database of its own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def debians_postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL of an older release."""
    with running_server(find_debians_programs) as server:
        yield server


@pytest.fixture(scope="session")
def comfyui_dir() -> Path:
    """The folder of the real ComfyUI that `make comfyui` has made, with tiny models in it."""
    home = Path(os.environ.get("COMFYUI_FOR_TESTS") or _cache_folder() / "fireside" / "comfyui")
    if not (home / "made").exists():
        reason = "there is no real ComfyUI here; `make comfyui` makes one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return home / "ComfyUI"


@pytest.fixture(scope="session")
def comfyui_python(comfyui_dir: Path) -> Path:
    """The Python that this ComfyUI runs in."""
    return comfyui_dir.parent / "venv" / "bin" / "python"


@pytest.fixture(scope="session")
def clients_dir() -> Path:
    """The folder of the clients that `make clients` has installed: `venv` and `node_modules`."""
    home = Path(os.environ.get("CLIENTS_FOR_TESTS") or _cache_folder() / "fireside" / "clients")
    if not (home / "made").exists():
        reason = "there are no clients of others here; `make clients` installs some"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return home


@pytest.fixture(scope="session")
def editor_packages(clients_dir: Path) -> Path:
    """The folder of Python packages that the official editor's files and templates are in."""
    (packages,) = clients_dir.glob("venv/lib/python3*/site-packages")
    return packages


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
