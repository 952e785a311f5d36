"""What this server measures of itself, for Prometheus: counted where it happens, given out when somebody asks.

Whoever has something to count calls a plain function of here, handed to it by `app`, and knows nothing of Prometheus.
Labels have few values and name nobody: no user, no job, no path as it was asked for. All counts begin with the process.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from fireside import __version__
from fireside.domain.jobs import HELD_STATES, Job, JobState

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HTTP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STORE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_WAIT_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
_RUN_SECONDS = (0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 10800)
_CHANGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
NO_ROUTE = "none"
"""The route of requests for what is not there."""

# Series that say when each counter was made double what is sent, and nobody asks for them.
disable_created_metrics()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things are at the moment of the question, as far as nobody counts it along."""

    jobs: Mapping[str, int]
    workers: Mapping[str, int]
    desired: Mapping[str, int]
    is_on_bus: bool
    is_leading: bool
    free_bytes: int
    total_bytes: int


class Meters:
    """The meters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        build = Info("fireside_build", "The version that runs.", registry=self.registry)
        build.info({"version": __version__})
        self._http = _Http(self.registry)
        self._jobs = _Jobs(self.registry)
        self._dispatch = _Dispatch(self.registry)
        self._store = _Store(self.registry)
        self._bytes = Counter(
            "fireside_blob_bytes",
            "Bytes of files, by direction: written or read.",
            ["direction"],
            registry=self.registry,
        )
        self._disconnects = Counter(
            "fireside_bus_disconnects", "Times that the connection to the bus was lost.", registry=self.registry
        )
        self._spans = Counter(
            "fireside_trace_spans",
            "Spans of traces, by what became of them: sent or dropped.",
            ["fate"],
            registry=self.registry,
        )
        self._standing = _Standing(self.registry)

    def begin_request(self) -> None:
        """Note that a request has come in."""
        self._http.in_progress.inc()

    def end_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note the answer to a request; `seconds` is how long it took to begin."""
        method = method if method in _METHODS else "other"
        self._http.in_progress.dec()
        self._http.requests.labels(method, route, str(status)).inc()
        self._http.seconds.labels(method, route).observe(seconds)

    def socket_moved(self, by: int) -> None:
        """Note that a websocket was opened (1) or closed (-1)."""
        self._http.sockets.inc(by)

    def job_moved(self, before: Job | None, after: Job) -> None:
        """Note what this server did to a job."""
        was = before.state if before is not None else None
        if before is None:
            self._jobs.submitted.inc()
        if after.is_terminal:
            self._jobs.ended.labels(after.state.value).inc()
            if after.run_time:
                self._jobs.run_seconds.observe(after.run_time.total_seconds())
        elif before is not None and was is JobState.QUEUED and after.state is JobState.ASSIGNED:
            self._jobs.wait_seconds.observe(max(0.0, (after.changed_at - before.changed_at).total_seconds()))
        elif was in HELD_STATES and after.state is JobState.QUEUED:
            self._jobs.requeued.inc()

    def decided(self, seconds: float, placements: int) -> None:
        """Note a look of the leader for what can go, and how many jobs it placed."""
        self._dispatch.seconds.observe(seconds)
        self._dispatch.placements.inc(placements)

    def offered(self, seconds: float, accepted: bool) -> None:
        """Note a worker's answer to an offer."""
        self._dispatch.offer_seconds.observe(seconds)
        self._dispatch.offers.labels("accepted" if accepted else "declined").inc()

    def wrote(self, changes: int, seconds: float, is_lost: bool) -> None:
        """Note a transaction of the writer; called in its thread."""
        self._store.changes.observe(changes)
        self._store.seconds.observe(seconds)
        if is_lost:
            self._store.lost.inc()

    def bytes_moved(self, direction: str, count: int) -> None:
        """Note bytes of files that were written or read."""
        self._bytes.labels(direction).inc(count)

    def spans_moved(self, fate: str, count: int) -> None:
        """Note what became of spans."""
        self._spans.labels(fate).inc(count)

    def bus_changed(self, connected: bool) -> None:
        """Note that the bus is back or lost."""
        if not connected:
            self._disconnects.inc()

    def stand(self, standing: Standing) -> None:
        """Note how things are now."""
        for state, count in standing.jobs.items():
            self._standing.jobs.labels(state).set(count)
        for state, count in standing.workers.items():
            self._standing.workers.labels(state).set(count)
        # What nobody has told of late is no figure at all.
        self._standing.desired.clear()
        for pool, count in standing.desired.items():
            self._standing.desired.labels(pool).set(count)
        self._standing.on_bus.set(standing.is_on_bus)
        self._standing.leading.set(standing.is_leading)
        self._standing.free_bytes.set(standing.free_bytes)
        self._standing.total_bytes.set(standing.total_bytes)


class _Http:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "fireside_http_requests",
            "Requests that were answered, by method, route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "fireside_http_request_seconds",
            "Seconds until the answer began, by method and route.",
            ["method", "route"],
            buckets=_HTTP_SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "fireside_http_requests_in_progress", "Requests that are being answered.", registry=registry
        )
        self.sockets = Gauge("fireside_websockets_open", "Websockets that are open.", registry=registry)


class _Jobs:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.submitted = Counter("fireside_jobs_submitted", "Jobs that this server took.", registry=registry)
        self.ended = Counter(
            "fireside_jobs_ended", "Jobs whose end this server wrote, by state.", ["state"], registry=registry
        )
        self.requeued = Counter(
            "fireside_jobs_requeued", "Times that a job came back to the queue from a worker.", registry=registry
        )
        self.wait_seconds = Histogram(
            "fireside_job_wait_seconds",
            "Seconds that jobs waited in the queue until a worker got them.",
            buckets=_WAIT_SECONDS,
            registry=registry,
        )
        self.run_seconds = Histogram(
            "fireside_job_run_seconds",
            "Seconds that jobs ran which have ended.",
            buckets=_RUN_SECONDS,
            registry=registry,
        )


class _Dispatch:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "fireside_dispatch_decision_seconds",
            "Seconds that the leader took to read what has changed and decide what goes where.",
            buckets=_STORE_SECONDS,
            registry=registry,
        )
        self.placements = Counter("fireside_dispatch_placements", "Jobs given to a worker.", registry=registry)
        self.offers = Counter(
            "fireside_dispatch_offers",
            "Answers of workers to jobs that they were offered: accepted or declined, which is no answer, too.",
            ["answer"],
            registry=registry,
        )
        self.offer_seconds = Histogram(
            "fireside_dispatch_offer_seconds",
            "Seconds until a worker had answered.",
            buckets=_STORE_SECONDS,
            registry=registry,
        )


class _Store:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.changes = Histogram(
            "fireside_store_batch_changes",
            "Changes that were committed together.",
            buckets=_CHANGES,
            registry=registry,
        )
        self.seconds = Histogram(
            "fireside_store_write_seconds",
            "Seconds that a transaction took, with its commit.",
            buckets=_STORE_SECONDS,
            registry=registry,
        )
        self.lost = Counter("fireside_store_batches_lost", "Transactions that were lost as a whole.", registry=registry)


class _Standing:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.jobs = Gauge(
            "fireside_jobs",
            "Jobs of all users in the store, by state; running ones with those that are told to stop.",
            ["state"],
            registry=registry,
        )
        self.workers = Gauge("fireside_workers", "Workers, by state.", ["state"], registry=registry)
        self.desired = Gauge(
            "fireside_desired_workers",
            "Workers that each pool of the setting `pools` should have now, for whoever starts and stops them.",
            ["pool"],
            registry=registry,
        )
        self.on_bus = Gauge("fireside_bus_connected", "Whether this server is on the bus.", registry=registry)
        self.leading = Gauge("fireside_leading", "Whether this server hands out jobs.", registry=registry)
        self.free_bytes = Gauge("fireside_disk_free_bytes", "Room on the disk of the data folder.", registry=registry)
        self.total_bytes = Gauge("fireside_disk_total_bytes", "Size of the disk of the data folder.", registry=registry)
