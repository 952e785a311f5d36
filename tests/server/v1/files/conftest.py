"""A server's edge over a real store and real blobs, with two people who call it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from fireside.accounts.accounts import NewUser
from fireside.accounts.tokens import SESSION_COOKIE
from fireside.app import assemble
from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.ids import AssetId
from fireside.server.edge import build_edge
from fireside.server.services import Services

ORIGIN = "http://fireside.test"


@dataclass
class Person:
    """A user with two ways to call: a program with a key, and a browser with a session."""

    user: User
    program: httpx.AsyncClient
    browser: httpx.AsyncClient

    async def upload(self, content: bytes, name: str, **fields: str) -> httpx.Response:
        return await self.program.post("/api/upload/image", files={"image": (name, content)}, data=fields)

    async def view(self, name: str, **params: Any) -> httpx.Response:
        """Read an input file as a browser does."""
        return await self.browser.get("/api/view", params={"filename": name, "type": "input"} | params)


@dataclass
class House:
    """The server, the two people who use it, and somebody nobody knows."""

    services: Services
    ada: Person
    bob: Person
    stranger: httpx.AsyncClient
    data_dir: Path

    async def record(self, person: Person, name: str, content: bytes, content_type: str) -> Asset:
        """Put a file there without asking whether it should be, as one may come from a worker."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        written = await self.services.blobs.write(chunks(), limit_bytes=None)
        asset = Asset(
            id=AssetId(uuid4()),
            user_id=person.user.id,
            file=FileName(folder=Folder.INPUT, subfolder="", name=name),
            hash=written.hash,
            size_bytes=written.size_bytes,
            content_type=content_type,
            created_at=self.services.clock(),
        )
        return await self.services.store.add_asset(asset)

    def bytes_kept(self) -> list[Path]:
        """Every file among the blobs and in the scratch folder."""
        folders = (self.data_dir / "blobs", self.data_dir / "scratch")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[OpenHouse]:
    """Open servers that are gone with the test: `await open_house(max_upload_bytes=10)`."""
    opened: list[tuple[Any, list[httpx.AsyncClient]]] = []

    async def open_one(folder: str | Path = "data", **settings: Any) -> House:
        data_dir = tmp_path / folder
        context = assemble(Config(data_dir=str(data_dir), **settings), public_url=ORIGIN)
        assembly = await context.__aenter__()
        clients: list[httpx.AsyncClient] = []
        opened.append((context, clients))
        app = build_edge(assembly.services)

        def client(**headers: str) -> httpx.AsyncClient:
            made = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers)
            clients.append(made)
            return made

        async def person(name: str) -> Person:
            accounts = assembly.services.accounts
            user = await accounts.create_user(NewUser(name=name))
            _, key = await accounts.create_key(user)
            cookie = await accounts.use_login_link(await accounts.login_link(user))
            return Person(
                user, client(**{"X-API-Key": key}), client(Cookie=f"{SESSION_COOKIE}={cookie}", Origin=ORIGIN)
            )

        return House(assembly.services, await person("ada"), await person("bob"), client(), data_dir)

    yield open_one
    for context, clients in reversed(opened):
        for one in clients:
            await one.aclose()
        await context.__aexit__(None, None, None)


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    return await open_house()


@pytest.fixture
def picture() -> bytes:
    """A PNG of 80 x 60 pixels, half transparent."""
    buffer = BytesIO()
    Image.new("RGBA", (80, 60), (200, 100, 50, 128)).save(buffer, format="PNG")
    return buffer.getvalue()
