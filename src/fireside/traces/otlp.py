"""Spans in the form of the OpenTelemetry protocol. Imported only where traces are sent: it brings protobuf along."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from fireside import __version__
from fireside.traces.spans import Attributes, Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(spans: Sequence[Span], resource: Mapping[str, str]) -> bytes:
    """Give the request that hands spans over; one of no spans is good for trying whether somebody is there."""
    scope = trace_pb2.ScopeSpans(
        scope=InstrumentationScope(name="fireside", version=__version__), spans=[_span(span) for span in spans]
    )
    told = trace_pb2.ResourceSpans(resource=Resource(attributes=_attributes(resource)), scope_spans=[scope])
    return ExportTraceServiceRequest(resource_spans=[told] if spans else []).SerializeToString()


def refused_spans(answer: bytes) -> tuple[int, str]:
    """Read how many spans a collector has not taken although it has answered well, and why."""
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    return partial.rejected_spans, partial.error_message


def _span(span: Span) -> trace_pb2.Span:
    status = trace_pb2.Status()
    if span.error is not None:
        status = trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR, message=span.error)
    kind = trace_pb2.Span.SPAN_KIND_SERVER if span.is_entry else trace_pb2.Span.SPAN_KIND_INTERNAL
    return trace_pb2.Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or b"",
        name=_plain(span.name),
        kind=kind,
        start_time_unix_nano=_nanoseconds(span.begin),
        end_time_unix_nano=_nanoseconds(span.end),
        attributes=_attributes(span.attributes),
        status=status,
    )


def _attributes(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in attributes.items()]


def _value(value: str | float | bool) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=_plain(value))


def _plain(text: str) -> str:
    """Give text that UTF-8 can say; ids of nodes may hold half a character."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _nanoseconds(at: datetime) -> int:
    since = at - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
