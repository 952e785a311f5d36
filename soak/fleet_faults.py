"""What befalls a fleet in a soak: a plan that is drawn beforehand, so that a seed gives the same one again.

Each fault has something to strike and some seconds later is mended. What is struck already is left alone; different
things may be struck at the same time, and now and then everything is.
"""

import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field

from soak.processes import command_of, descendants, kill
from tests.faults.bus_cluster import BusNode
from tests.faults.cluster import Cluster, SharedBus, pause, resume
from tests.faults.far import FarWorker, Place
from tests.postgres_server import PostgresServer

_MEND_TRIES = 20
_PAUSE_SECONDS = 1.0
_MOST_AT_ONCE = 16
_REST_SECONDS = 8.0
"""So long after a mend is planned to be over, the same thing may be struck again."""
_STOP, _GO = signal.SIGSTOP, signal.SIGCONT
_RUNTIME = "runtimes.builtin.child"


@dataclass
class Fleet:
    """All that can be struck."""

    cluster: Cluster
    postgres: PostgresServer | None = None
    locks: dict[str, threading.Lock] = field(default_factory=dict[str, threading.Lock])

    @property
    def servers(self) -> Sequence[Place]:
        """The servers, each with the workers beside it."""
        return self.cluster.places

    @property
    def workers(self) -> Sequence[FarWorker]:
        """All workers."""
        return [worker for place in self.cluster.places for worker in place.workers]

    @property
    def things(self) -> Sequence[str]:
        """Name all of it; a host is that of the worker with its number."""
        servers = [f"server {number}" for number in range(len(self.servers))]
        workers = [f"worker {number}" for number in range(len(self.workers))]
        buses = [f"bus {number}" for number in range(len(self.cluster.bus.nodes))]
        hosts = [f"host {number}" for number in range(len(self.workers) if self.cluster.network else 0)]
        stores = ["database 0"] * bool(self.postgres) + ["objects 0"] * bool(self.cluster.objects)
        return [*servers, *workers, *hosts, *buses, *stores]

    def server(self, thing: str) -> Place:
        """Find a server by its name here."""
        return self.servers[int(thing.split()[1])]

    def worker(self, thing: str) -> FarWorker:
        """Find a worker by its name here."""
        return self.workers[int(thing.split()[1])]

    def bus(self, thing: str) -> SharedBus | BusNode:
        """Find a server of the bus by its name here."""
        return self.cluster.bus.nodes[int(thing.split()[1])]


Act = Callable[[Fleet, str], object]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: what it strikes, how often it is drawn, and between how many seconds it lasts."""

    name: str
    strikes: str
    share: int
    seconds: tuple[float, float]
    strike: Act
    mend: Act


@dataclass(frozen=True)
class Fault:
    """One fault of a plan."""

    at: float
    kind: Kind
    thing: str
    seconds: float


def plan_of(fleet: Fleet, seconds: float, every: float, draw: random.Random) -> list[Fault]:
    """Draw faults for that long, one after `every` seconds on average."""
    kinds = [kind for kind in KINDS if kind.strikes == "all" or any(kind.strikes in thing for thing in fleet.things)]
    busy: dict[str, float] = {}
    faults: list[Fault] = []
    at = every
    while at < seconds:
        (kind,) = draw.choices(kinds, [kind.share for kind in kinds])
        thing = "all" if kind.strikes == "all" else draw.choice([one for one in fleet.things if kind.strikes in one])
        lasts = draw.uniform(*kind.seconds)
        struck = fleet.things if thing == "all" else [thing]
        if all(busy.get(one, 0.0) < at for one in struck):
            faults.append(Fault(at, kind, thing, lasts))
            busy |= dict.fromkeys(struck, at + lasts + _REST_SECONDS)
        at += draw.expovariate(1 / every)
    return faults


def plan_in_turn(fleet: Fleet, every: float, *, begin: float = 0.0, rounds: int = 1) -> list[Fault]:
    """Strike each thing in each way that there is, in turn; what is struck has `every` seconds to mend.

    What lasts longer than half of that by its kind is still so when the next thing is struck.
    """
    kinds = [kind for kind in KINDS if kind.strikes != "all"]
    struck = [(kind, thing) for _ in range(rounds) for kind in kinds for thing in fleet.things if kind.strikes in thing]
    return [
        Fault(begin + place * every, kind, thing, max(kind.seconds[0], min(kind.seconds[1], every / 2)))
        for place, (kind, thing) in enumerate(struck)
    ]


class Faults:
    """Faults that come as they were planned.

    What a thread has started may be tied to it, and end with it, as a database is; so the threads last until `close`.
    """

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE)
        self._under_way: list[Future[None]] = []
        self.struck: Counter[str] = Counter()
        self.trouble: list[str] = []

    def plan(self, fleet: Fleet, faults: Sequence[Fault]) -> None:
        """Say what is to befall which fleet."""
        self._fleet = fleet
        self._faults.extend(faults)
        fleet.locks = {thing: threading.Lock() for thing in fleet.things}

    def strike_due(self, passed: float) -> None:
        """Begin all that is due so many seconds after the start."""
        while self._faults and self._faults[0].at <= passed:
            self._under_way.append(self._pool.submit(self._run, self._faults.popleft()))

    def wait(self) -> None:
        """Wait until all that was struck is mended."""
        wait(self._under_way)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _run(self, fault: Fault) -> None:
        struck = self._fleet.things if fault.thing == "all" else [fault.thing]
        with ExitStack() as stack:
            for thing in struck:
                stack.enter_context(self._fleet.locks[thing])
            self.struck[fault.kind.name] += 1
            self._do(fault, fault.kind.strike, tries=1)
            time.sleep(fault.seconds)
            self._do(fault, fault.kind.mend, tries=_MEND_TRIES)

    def _do(self, fault: Fault, act: Act, *, tries: int) -> None:
        said = ""
        for _ in range(tries):
            try:
                act(self._fleet, fault.thing)
            except Exception as error:  # noqa: BLE001  so a server's start ends while its database is away, for one
                said = f"{fault.kind.name}, {fault.thing}: {error}"
                time.sleep(_PAUSE_SECONDS)
            else:
                return
        self.trouble.append(said)


def _kill_server(fleet: Fleet, thing: str) -> None:
    fleet.server(thing).server.kill()


def _stop_server(fleet: Fleet, thing: str) -> None:
    fleet.server(thing).server.stop()


def _start_server(fleet: Fleet, thing: str) -> None:
    server = fleet.server(thing).server
    server.kill()
    server.start()


def _signal_server(number: signal.Signals) -> Act:
    return lambda fleet, thing: fleet.server(thing).server.process.send_signal(number)


def _kill_worker(fleet: Fleet, thing: str) -> None:
    worker = fleet.worker(thing)
    worker.tell(signal.SIGKILL)
    worker.wait()


def _stop_worker(fleet: Fleet, thing: str) -> None:
    worker = fleet.worker(thing)
    worker.tell(signal.SIGTERM)
    worker.wait()


def _pause_worker(fleet: Fleet, thing: str) -> None:
    pause(fleet.worker(thing))


def _resume_worker(fleet: Fleet, thing: str) -> None:
    resume(fleet.worker(thing))


def _start_worker(fleet: Fleet, thing: str) -> None:
    fleet.worker(thing).start()


def _kill_runtime(fleet: Fleet, thing: str) -> None:
    process = fleet.worker(thing).process
    assert process is not None
    for pid in list(descendants(process.pid)):
        if _RUNTIME in command_of(pid):
            kill(pid)


def _cable(*, plugged: bool) -> Act:
    def act(fleet: Fleet, thing: str) -> None:
        network = fleet.cluster.network
        assert network is not None
        network.cable(network.hosts[int(thing.split()[1])], plugged=plugged)

    return act


def _kill_bus(fleet: Fleet, thing: str) -> None:
    fleet.bus(thing).kill()


def _start_bus(fleet: Fleet, thing: str) -> None:
    fleet.bus(thing).start()


def _signal_bus(number: signal.Signals) -> Act:
    return lambda fleet, thing: fleet.bus(thing).tell(number)


def _kill_objects(fleet: Fleet, _thing: str) -> None:
    assert fleet.cluster.objects is not None
    fleet.cluster.objects.kill()


def _start_objects(fleet: Fleet, _thing: str) -> None:
    assert fleet.cluster.objects is not None
    fleet.cluster.objects.start()


def _stop_database(*, at_once: bool) -> Act:
    def stop(fleet: Fleet, _thing: str) -> None:
        assert fleet.postgres is not None
        fleet.postgres.stop(at_once=at_once)

    return stop


def _start_database(fleet: Fleet, _thing: str) -> None:
    assert fleet.postgres is not None
    fleet.postgres.start()


def _cut_the_power(fleet: Fleet, thing: str) -> None:
    for place in fleet.servers:
        place.server.process.kill()
    for worker in fleet.workers:
        worker.tell(signal.SIGKILL)
    fleet.cluster.bus.kill()
    if fleet.cluster.objects is not None:
        fleet.cluster.objects.kill()
    if fleet.postgres is not None:
        _stop_database(at_once=True)(fleet, thing)
    for number in range(len(fleet.servers)):
        _kill_server(fleet, f"server {number}")
    for worker in fleet.workers:
        worker.wait()


def _start_everything(fleet: Fleet, thing: str) -> None:
    if fleet.postgres is not None:
        _start_database(fleet, thing)
    fleet.cluster.bus.start()
    if fleet.cluster.objects is not None:
        fleet.cluster.objects.start()
    for number in range(len(fleet.servers)):
        _start_server(fleet, f"server {number}")
    for worker in fleet.workers:
        worker.start()


def _nothing(_fleet: Fleet, _thing: str) -> None:
    pass


KINDS = (
    Kind("worker killed", "worker", 24, (0.0, 5.0), _kill_worker, _start_worker),
    Kind("worker stands still", "worker", 14, (0.5, 12.0), _pause_worker, _resume_worker),
    Kind("worker stopped", "worker", 8, (0.0, 2.0), _stop_worker, _start_worker),
    Kind("runtime killed", "worker", 12, (0.0, 0.0), _kill_runtime, _nothing),
    Kind("host cut off", "host", 8, (0.5, 3.0), _cable(plugged=False), _cable(plugged=True)),
    Kind("host cut off for long", "host", 6, (9.0, 12.0), _cable(plugged=False), _cable(plugged=True)),
    Kind("server killed", "server", 14, (0.0, 6.0), _kill_server, _start_server),
    Kind("server stands still", "server", 8, (0.5, 6.0), _signal_server(_STOP), _signal_server(_GO)),
    Kind("server stopped", "server", 6, (0.0, 3.0), _stop_server, _start_server),
    Kind("bus killed", "bus", 8, (0.0, 4.0), _kill_bus, _start_bus),
    Kind("bus stands still", "bus", 4, (0.5, 6.0), _signal_bus(_STOP), _signal_bus(_GO)),
    Kind("database crashed", "database", 4, (0.0, 4.0), _stop_database(at_once=True), _start_database),
    Kind("database stopped", "database", 3, (0.0, 3.0), _stop_database(at_once=False), _start_database),
    Kind("bucket killed", "objects", 4, (0.0, 3.0), _kill_objects, _start_objects),
    Kind("everything killed", "all", 2, (0.0, 3.0), _cut_the_power, _start_everything),
)  # fmt: skip
