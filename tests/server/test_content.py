from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fireside.blobs.local import LocalBlobs
from fireside.blobs.sniff import sniff_content_type
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash
from fireside.server.content import SECURITY_HEADERS, serve_blob

BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
SIZE = len(BYTES)


class Shelf:
    """One blob behind one route, with the arguments a test gives."""

    def __init__(self, folder: Path) -> None:
        self.blobs = LocalBlobs(folder)
        self.hash = BlobHash("0" * 64)
        self.arguments: dict[str, Any] = {}
        app = Starlette(routes=[Route("/", self._serve)], exception_handlers={NotFound: _not_found})
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shelf")

    async def put(self, content: bytes, **arguments: Any) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        self.hash = (await self.blobs.write(chunks(), limit_bytes=None)).hash
        kind = sniff_content_type(content, "x.png")
        self.arguments = {"filename": "x.png", "content_type": kind, "size_bytes": len(content)} | arguments

    async def get(self, method: str = "GET", **headers: str) -> httpx.Response:
        return await self.client.request(method, "/", headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def _serve(self, request: Request) -> Response:
        return serve_blob(request, self.blobs, self.hash, **self.arguments)


async def _not_found(_request: Request, error: Exception) -> Response:
    return Response(str(error), 404)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    shelf = Shelf(tmp_path)
    await shelf.put(BYTES)
    yield shelf
    await shelf.client.aclose()


async def test_a_picture_is_sent_whole_and_in_place(shelf: Shelf) -> None:
    answer = await shelf.get()

    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'inline; filename="x.png"'
    assert answer.headers["etag"] == f'"{shelf.hash}"'
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "headers", [{}, {"range": "bytes=0-3"}, {"range": "bytes=999-"}, {"if_none_match": "*"}], ids=str
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_every_answer_keeps_browsers_from_running_it(shelf: Shelf, method: str, headers: dict[str, str]) -> None:
    answer = await shelf.get(method, **headers)

    assert SECURITY_HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("disposition", ["auto", "inline", "attachment"])
@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "text/javascript", "text/plain", "a/b\r\nX: y"])
async def test_what_could_run_is_an_octet_stream_to_save(shelf: Shelf, content_type: str, disposition: str) -> None:
    await shelf.put(b"<script>", content_type=content_type, disposition=disposition)
    answer = await shelf.get()

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")


async def test_a_picture_can_be_asked_for_to_save(shelf: Shelf) -> None:
    await shelf.put(BYTES, disposition="attachment")

    assert (await shelf.get()).headers["content-disposition"] == 'attachment; filename="x.png"'


async def test_head_says_what_get_would(shelf: Shelf) -> None:
    got, head = await shelf.get(), await shelf.get("HEAD")

    assert head.content == b""
    assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        ("bytes=-9999", 0, SIZE),
        ("Bytes=3-99999", 3, SIZE),
    ],
)
async def test_a_range_is_sent_alone(shelf: Shelf, wanted: str, start: int, end: int) -> None:
    answer = await shelf.get(range=wanted)

    assert (answer.status_code, answer.content) == (206, BYTES[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE}-{SIZE + 5}"])
async def test_a_range_outside_is_refused_with_the_size(shelf: Shelf, wanted: str) -> None:
    answer = await shelf.get(range=wanted)

    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=", "x"])
async def test_several_ranges_and_what_is_none_get_the_whole(shelf: Shelf, wanted: str) -> None:
    answer = await shelf.get(range=wanted)

    assert (answer.status_code, answer.content) == (200, BYTES)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(start=st.integers(0, SIZE - 1), length=st.integers(1, SIZE + 9))
async def test_any_range_is_a_slice(shelf: Shelf, start: int, length: int) -> None:
    answer = await shelf.get(range=f"bytes={start}-{start + length - 1}")

    assert (answer.status_code, answer.content) == (206, BYTES[start : start + length])


async def test_no_bytes_have_no_ranges(shelf: Shelf) -> None:
    await shelf.put(b"")

    assert (await shelf.get()).headers["content-length"] == "0"
    assert (await shelf.get(range="bytes=0-")).status_code == 416
    assert (await shelf.get(range="bytes=-5")).status_code == 200


async def test_bytes_that_are_known_are_not_sent_again(shelf: Shelf) -> None:
    for known in (f'"{shelf.hash}"', f'W/"{shelf.hash}"', f'"x", "{shelf.hash}"', "*"):
        answer = await shelf.get(if_none_match=known, range="bytes=0-1")
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{shelf.hash}"'
    assert (await shelf.get(if_none_match='"x"')).status_code == 200


async def test_a_range_of_other_bytes_gets_the_whole(shelf: Shelf) -> None:
    assert (await shelf.get(range="bytes=0-1", if_range=f'"{shelf.hash}"')).status_code == 206
    for other in ('"x"', f'W/"{shelf.hash}"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert (await shelf.get(range="bytes=0-1", if_range=other)).status_code == 200


async def test_bytes_that_are_gone_are_not_found(shelf: Shelf) -> None:
    await shelf.blobs.delete(shelf.hash)

    assert (await shelf.get()).status_code == 404


async def test_the_proxy_sends_the_bytes_when_it_can(shelf: Shelf) -> None:
    shelf.arguments["accel_prefix"] = "/internal/"
    answer = await shelf.get()

    assert answer.content == b""
    assert answer.headers["x-accel-redirect"] == f"/internal/{shelf.hash[:2]}/{shelf.hash}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text())
async def test_no_name_breaks_out_of_its_header(shelf: Shelf, name: str) -> None:
    shelf.arguments["filename"] = name
    disposition = (await shelf.get("HEAD")).headers["content-disposition"]

    quoted = disposition.removeprefix('inline; filename="').partition('"')
    assert disposition.isascii()
    assert disposition.isprintable()
    assert "\\" not in disposition
    assert quoted[2] == "" or quoted[2].startswith("; filename*=UTF-8''")


async def test_a_name_in_any_script_arrives(shelf: Shelf) -> None:
    shelf.arguments["filename"] = '猫 "1".png'

    assert (await shelf.get()).headers["content-disposition"] == (
        "inline; filename=\"_ _1_.png\"; filename*=UTF-8''%E7%8C%AB%20%221%22.png"
    )
