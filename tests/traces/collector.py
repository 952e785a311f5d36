"""A collector of OpenTelemetry for tests: a real HTTP server that takes OTLP and reads what it is told."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Told

SECONDS = 120


@dataclass(frozen=True)
class Heard:
    """A span as it arrived."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    begin: int
    end: int
    attributes: dict[str, Any]
    error: str | None
    resource: dict[str, Any]


@dataclass
class Collector:
    """What has arrived, and how it is answered."""

    url: str = ""
    spans: list[Heard] = field(default_factory=list[Heard])
    requests: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    bodies: list[bytes] = field(default_factory=list[bytes])
    status: int = 200
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self.changed:
            assert path == "/v1/traces"
            self.requests.append(headers)
            self.bodies.append(body)
            if self.status == 200:
                self.spans += _spans_of(body)
            self.changed.notify_all()
            return self.status

    def wait(self, is_enough: Callable[[], bool]) -> None:
        """Wait until enough has arrived."""
        with self.changed:
            assert self.changed.wait_for(is_enough, SECONDS), [(one.name, one.trace_id) for one in self.spans]

    def of_job(self, job_id: str) -> list[Heard]:
        return [one for one in self.spans if one.attributes.get("fireside.job.id") == job_id]

    def trace(self, job_id: str, *names: str) -> list[Heard]:
        """Wait until the job's spans of these names, and that of the whole job, have arrived, and give all of it."""
        wanted = {"job", *names}
        self.wait(lambda: wanted <= {one.name for one in self.of_job(job_id)})
        return self.of_job(job_id)


def _spans_of(body: bytes) -> list[Heard]:
    return [
        _heard(span, _values(told.resource.attributes))
        for told in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in told.scope_spans
        for span in scope.spans
    ]


def _heard(span: Told, resource: dict[str, Any]) -> Heard:
    return Heard(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        begin=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=_values(span.attributes),
        error=span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
        resource=resource,
    )


def _values(attributes: "Any") -> dict[str, Any]:
    listed: list[KeyValue] = list(attributes)
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in listed}


@contextmanager
def running_collector() -> Generator[Collector]:
    """Listen on a free port of loopback."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
