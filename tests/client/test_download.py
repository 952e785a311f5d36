"""Files of a job land in the folder asked for, whole, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from fireside.client.answers import OutputFile
from fireside.client.connection import Address, Connection
from fireside.client.download import path_below, save_file
from fireside.client.errors import ClientError


@pytest.mark.parametrize(
    ("filename", "subfolder"),
    [
        ("../x.png", ""),
        ("/etc/passwd", ""),
        ("..", ""),
        (".", ""),
        ("", ""),
        ("a\\..\\b", ""),
        ("C:x", ""),
        ("a\x00b", ""),
        ("a\nb", ""),
        ("x.png", "../up"),
        ("x.png", "a/../../up"),
        ("x.png", "..\\up"),
        ("x.png", "C:"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, filename: str, subfolder: str) -> None:
    with pytest.raises(ClientError, match="not safe"):
        path_below(tmp_path, OutputFile(filename=filename, subfolder=subfolder))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "sub").symlink_to(tmp_path)

    with pytest.raises(ClientError, match="leads out"):
        path_below(folder, OutputFile(filename="x.png", subfolder="sub"))


def test_a_subfolder_stays_below_the_folder(tmp_path: Path) -> None:
    file = OutputFile(filename="x.png", subfolder="/a//b/")

    assert path_below(tmp_path, file) == tmp_path / "a" / "b" / "x.png"


async def _saved(url: str, folder: Path, key: str | None = None) -> Path:
    async with Connection(Address(url=url, key=key)) as connection:
        return await save_file(connection, OutputFile(filename="x.png"), folder)


async def test_a_file_never_replaces_another(tmp_path: Path, serve: Any) -> None:
    url = await serve(Starlette(routes=[Route("/api/view", lambda request: Response(b"new"))]))
    (tmp_path / "x.png").write_bytes(b"old")

    path = await _saved(url, tmp_path)

    assert path == tmp_path / "x (1).png"
    assert path.read_bytes() == b"new"
    assert (tmp_path / "x.png").read_bytes() == b"old"


async def test_half_a_file_leaves_nothing(tmp_path: Path, serve: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"only this", "more_body": False})

    url = await serve(app)

    with pytest.raises(ClientError, match="cannot reach"):
        await _saved(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_refusal_says_the_servers_words(tmp_path: Path, serve: Any) -> None:
    refuse = Response(b'{"message": "no such file"}', status_code=404)
    url = await serve(Starlette(routes=[Route("/api/view", lambda request: refuse)]))

    with pytest.raises(ClientError, match="no such file"):
        await _saved(url, tmp_path)


async def test_the_key_goes_to_the_server_and_not_where_it_redirects(tmp_path: Path, serve: Any) -> None:
    seen: list[str | None] = []

    def elsewhere(request: Request) -> Response:
        seen.append(request.headers.get("x-api-key"))
        return Response(b"bytes")

    def view(request: Request) -> Response:
        seen.append(request.headers.get("x-api-key"))
        return RedirectResponse(f"{other}/blob", 302)

    other = await serve(Starlette(routes=[Route("/blob", elsewhere)]))
    url = await serve(Starlette(routes=[Route("/api/view", view)]))

    path = await _saved(url, tmp_path, key="fsk_secret")

    assert path.read_bytes() == b"bytes"
    assert seen == ["fsk_secret", None]


async def test_redirects_in_circles_end(tmp_path: Path, serve: Any) -> None:
    url = await serve(Starlette(routes=[Route("/api/view", lambda request: RedirectResponse("/api/view", 302))]))

    with pytest.raises(ClientError, match="circles"):
        await _saved(url, tmp_path)


async def test_nobody_there_is_said_with_the_address(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"cannot reach http://127\.0\.0\.1:1"):
        await _saved("http://127.0.0.1:1", tmp_path)


async def test_large_files_come_in_pieces(tmp_path: Path, serve: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    url = await serve(Starlette(routes=[Route("/api/view", lambda request: StreamingResponse(pieces()))]))

    assert (await _saved(url, tmp_path)).stat().st_size == 64 * 65536
