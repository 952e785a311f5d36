"""In which trace a job is: ids that every server finds by itself, or those of whoever submitted it (W3C Trace Context).

The trace of a job that was submitted without a `traceparent` has the job's own id, so that who has the one has the
other. Ids of spans are made from what they stand for: two servers that tell of the same thing tell of the same span.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from fireside.domain.ids import JobId
from fireside.store.records import TimelineEntry

RECEIVED = "received"
"""The kind of the timeline's entry that says when a traced job came in, and in whose trace."""

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_FIRST_VERSION = "00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The span of whoever submitted a job."""

    trace_id: bytes
    span_id: bytes
    is_sampled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a job's trace begins: when it came in, and the caller's span, if there is one."""

    received_at: datetime
    caller: Caller | None = None

    @property
    def is_traced(self) -> bool:
        """Whether the caller wants a trace, or says nothing of it."""
        return self.caller is None or self.caller.is_sampled


def read_traceparent(header: str | None) -> Caller | None:
    """Read the header; None for one that is not there or says nothing, as the standard wants it."""
    found = _TRACEPARENT.fullmatch((header or "").strip())
    if found is None or (found[1] == _FIRST_VERSION and found[5]):
        return None
    trace_id, span_id = bytes.fromhex(found[2]), bytes.fromhex(found[3])
    if not any(trace_id) or not any(span_id):
        return None
    return Caller(trace_id=trace_id, span_id=span_id, is_sampled=bool(int(found[4], 16) & _SAMPLED))


def received(at: datetime, traceparent: str | None) -> TimelineEntry:
    """Note that a job came in, for every server to join its trace; what is no `traceparent` is left out."""
    data = {"traceparent": traceparent.strip()} if traceparent and read_traceparent(traceparent) else {}
    return TimelineEntry(kind=RECEIVED, at=at, data=data)


def origin_of(entry: TimelineEntry | None, created_at: datetime) -> Origin:
    """Read where a job's trace begins; without an entry, as of a job from before there were traces, with the job."""
    if entry is None:
        return Origin(received_at=created_at)
    # The clock may have stepped back in between; the job is never older than itself.
    at = min(entry.at, created_at)
    return Origin(received_at=at, caller=read_traceparent(entry.data.get("traceparent")))


def trace_id_of(job_id: JobId, origin: Origin) -> bytes:
    """Give the id of the job's trace."""
    if origin.caller is not None:
        return origin.caller.trace_id
    return job_id.bytes if job_id.int else _digest("trace", job_id, size=16)


def span_id_of(job_id: JobId, *names: object) -> bytes:
    """Give the id of a span of the job, by what it stands for; without names that of the job itself."""
    return _digest("/".join(map(str, names)), job_id, size=8)


def _digest(text: str, job_id: JobId, *, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size, key=job_id.bytes).digest()
