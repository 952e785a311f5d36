"""The events of a job's stream in the API v2, and how they are written as Server-Sent Events.

A frame is an `event` line, a `data` line of JSON and an empty line; there are no ids, because nothing is replayed.
Progress and outputs are the bodies that the job itself shows.
"""

from typing import Any

import msgspec

from fireside.wire.v2_jobs import JobStatus, OutputBody

KEEP_ALIVE = b": keepalive\n\n"


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the job stands; the last one brings all outputs, and nothing comes after it."""

    status: JobStatus
    queue_position: int | None = None
    outputs: list[OutputBody] | None = None


class PreviewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a node's work so far."""

    node_id: str
    content_type: str
    data_base64: str


_encoder = msgspec.json.Encoder()


def encode_event(name: str, data: Any) -> bytes:
    """Write one event; JSON has no line ends of its own."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encoder.encode(data))
