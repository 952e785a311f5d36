from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request

from fireside.blobs.local import LocalBlobs
from fireside.domain.errors import BadRequest, FiresideError, TooLarge
from fireside.server.multipart import Form, FormLimits, read_form

FILE = b"\r\n--bound\r\nlike\r\n-" + bytes(range(256)) * 20
BODY = (
    b'--boundary\r\nContent-Disposition: form-data; name="type"\r\n\r\ninput\r\n'
    b'--boundary\r\ncontent-disposition: form-data; name="image"; filename="\xc3\xa4 1.png"\r\n'
    b"Content-Type: image/png\r\n\r\n" + FILE + b"\r\n"
    b'--boundary\r\nContent-Disposition: form-data; name="tag"\r\n\r\none\r\n'
    b'--boundary\r\nContent-Disposition: form-data; name="tag"\r\n\r\n\r\n--boundary--\r\n'
)
LIMITS = FormLimits(max_fields=3, max_field_bytes=100, max_header_bytes=300, max_files=1, max_file_bytes=100_000)
FORM_TYPE = "multipart/form-data; boundary=boundary"


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


async def read(
    blobs: LocalBlobs,
    *chunks: bytes,
    content_type: str = FORM_TYPE,
    is_cut: bool = False,
    announced: int | None = None,
) -> Form:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append(
        {"type": "http.disconnect"} if is_cut else {"type": "http.request", "body": b"", "more_body": False}
    )
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(coming)

    headers = [(b"content-type", content_type.encode("latin-1"))]
    if announced is not None:
        headers.append((b"content-length", str(announced).encode()))
    scope = {"type": "http", "method": "POST", "headers": headers}
    return await read_form(Request(scope, receive), blobs, limits=LIMITS)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def content_of(blobs: LocalBlobs, form: Form, name: str) -> bytes:
    file = form.file(name)
    assert file is not None
    chunks: AsyncIterator[bytes] = blobs.read(file.blob.hash)
    return b"".join([chunk async for chunk in chunks])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(cuts=st.lists(st.integers(0, len(BODY)), max_size=30))
async def test_a_form_is_the_same_however_it_is_cut_into_chunks(blobs: LocalBlobs, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(BODY)]
    form = await read(blobs, *(BODY[a:b] for a, b in pairwise(edges)))

    assert form.fields == {"type": ["input"], "tag": ["one", ""]}
    file = form.file("image")
    assert file is not None
    assert (file.filename, file.content_type, file.blob.size_bytes) == ("ä 1.png", "image/png", len(FILE))
    assert await content_of(blobs, form, "image") == FILE


async def test_a_form_can_come_byte_by_byte(blobs: LocalBlobs) -> None:
    form = await read(blobs, *(BODY[at : at + 1] for at in range(len(BODY))))

    assert await content_of(blobs, form, "image") == FILE


async def test_a_field_that_came_twice_is_not_one_value(blobs: LocalBlobs) -> None:
    form = await read(blobs, BODY)

    assert form.field("type") == "input"
    assert form.field("absent") is None
    with pytest.raises(BadRequest, match="2 times"):
        form.field("tag")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(length=st.integers(0, len(BODY) - len(b"--\r\n") - 1))
async def test_a_form_without_its_end_is_refused(blobs: LocalBlobs, length: int) -> None:
    with pytest.raises(BadRequest):
        await read(blobs, BODY[:length])


async def test_a_client_that_goes_leaves_nothing(blobs: LocalBlobs, tmp_path: Path) -> None:
    with pytest.raises(ClientDisconnect):
        await read(blobs, BODY[:3000], is_cut=True)

    assert files_in(tmp_path) == []


def part(headers: bytes, content: bytes = b"x") -> bytes:
    return b"--boundary\r\n" + headers + b"\r\n\r\n" + content + b"\r\n"


END = b"--boundary--\r\n"
FIELD = b'Content-Disposition: form-data; name="f"'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY, "multipart/form-data"),
        (BODY, "multipart/form-data; boundary="),
        (BODY, "multipart/form-data; boundary=" + "b" * 300),
        (BODY, "multipart/form-data; boundary=other"),
        (BODY, "application/json"),
        (BODY, ""),
        (b"", FORM_TYPE),
        (b"not a form", FORM_TYPE),
        (part(b"Content-Disposition: form-data") + END, FORM_TYPE),
        (part(b"Content-Type: text/plain") + END, FORM_TYPE),
        (part(b'Content-Disposition: attachment; name="f"') + END, FORM_TYPE),
        (part(b"broken header\x00") + END, FORM_TYPE),
        (part(FIELD + b"\r\nContent-Type: multipart/mixed; boundary=inner", b"--inner--") + END, FORM_TYPE),
        (part(FIELD + b"\r\nContent-Transfer-Encoding: base64") + END, FORM_TYPE),
        (part(FIELD, b"\xff") + END, FORM_TYPE),
    ],
)
async def test_what_is_no_form_is_refused(blobs: LocalBlobs, tmp_path: Path, body: bytes, content_type: str) -> None:
    with pytest.raises(BadRequest):
        await read(blobs, body, content_type=content_type)

    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        part(FIELD) * 4 + END,
        part(FIELD, b"x" * 101) + END,
        part(FIELD + b"\r\nX: " + b"x" * 290) + END,
        part(FIELD + b'; filename="a"') * 2 + END,
        part(FIELD + b'; filename="a"', b"x" * 100_001) + END,
    ],
    ids=["fields", "field bytes", "header bytes", "files", "file bytes"],
)
async def test_more_than_the_limits_is_refused(blobs: LocalBlobs, body: bytes) -> None:
    with pytest.raises((TooLarge, BadRequest)):
        await read(blobs, body)


async def test_what_says_that_it_is_too_long_is_refused_before_it_comes(blobs: LocalBlobs) -> None:
    assert LIMITS.most_bytes is not None
    assert (await read(blobs, BODY, announced=LIMITS.most_bytes)).file("image") is not None

    with pytest.raises(TooLarge, match="100000 bytes"):
        await read(blobs, is_cut=True, announced=LIMITS.most_bytes + 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(noise=st.binary(max_size=300), at=st.integers(0, len(BODY)))
async def test_noise_is_read_or_refused_and_nothing_else(blobs: LocalBlobs, noise: bytes, at: int) -> None:
    try:
        await read(blobs, BODY[:at] + noise + BODY[at:])
    except FiresideError as error:
        assert error.message  # noqa: PT017 - either outcome is right
