"""The page of the worker protocol names every message, field, word and route that a worker meets, and no other."""

import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from scripts import docs

from fireside.server.tables import FLEET_ROUTES, ROUTES
from fireside.wire import fleet, fleet_joining, fleet_uploads, live

PAGE = (docs.ROOT / "docs" / "worker-protocol.md").read_text("utf-8")
AMONG_SERVERS = {fleet.QueueChanged, fleet.PoolFigure, fleet.PoolFigures}
"""What servers tell each other, which is in the same module."""


def _structs(*modules: Any) -> list[type[msgspec.Struct]]:
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__ and kind not in AMONG_SERVERS
    ]


def _frames() -> list[type[msgspec.Struct]]:
    return [*get_args(live.Frame), live.NodeStateBody]


def _words(kind: type[msgspec.Struct]) -> set[str]:
    """Give a message's type, the names of its fields, and the words that these may have."""
    tag = kind.__struct_config__.tag
    words = {*kind.__struct_encode_fields__} | ({str(tag)} if tag else set())
    for hint in get_type_hints(kind).values():
        if get_origin(hint) is Literal:
            words |= set(get_args(hint))
    return words


@pytest.mark.parametrize(
    "kind", [*_structs(fleet, fleet_joining, fleet_uploads), *_frames()], ids=lambda kind: kind.__name__
)
def test_every_field_and_word_of_a_message_is_on_the_page(kind: type[msgspec.Struct]) -> None:
    missing = {word for word in _words(kind) if not re.search(rf"[`\"]{word}[`\":,]", PAGE)}

    assert missing == set()


def test_every_route_of_workers_is_on_the_page_and_no_other() -> None:
    wanted = {
        f"{route.method} {re.sub(r'/fleet/[a-z]+/{hash}', '/fleet/*/{hash}', route.path)}" for route in FLEET_ROUTES
    }
    wanted |= {
        f"{route.method} {route.path}"
        for route in ROUTES
        if route.path in ("/fleet/enroll", "/fleet/boot", "/fleet/leave")
    }
    named = {
        f"{method} {re.sub(r'/fleet/(blobs|{topic})/{hash}', '/fleet/*/{hash}', path)}"
        for method, path in re.findall(r"\b(GET|PUT|POST|HEAD|DELETE)(?: to)? `?(/fleet/[^\s`?:]*)", PAGE)
    }

    assert named == wanted - {"GET /files/{token}"}


def test_limits_and_names_are_those_of_the_code() -> None:
    assert fleet_uploads.PART_BYTES_HEADER in PAGE
    assert f"This is protocol {fleet.PROTOCOL};" in PAGE
    assert f"{fleet.MOST_MODEL_BYTES:,} bytes at most" in PAGE
    assert f"`parts`, {live.MOST_PARTS} at most" in PAGE
    assert f"more than {live.MOST_PART_BYTES // 1024} KiB" in PAGE
    assert f"grow to {fleet.LONGEST_BUS_PAUSE_SECONDS:g} seconds" in PAGE
    assert (fleet.MOST_FINISHING, fleet.MOST_AHEAD) == (3, 1)
