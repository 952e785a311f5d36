"""A server's edge over a real store and real blobs, with two people who call it.

Where the published contract is at hand, every answer in JSON that they get is held against it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from tests.server.v1.published import Published

from fireside.accounts.accounts import NewUser
from fireside.accounts.tokens import SESSION_COOKIE
from fireside.app import assemble
from fireside.blobs.sniff import sniff_content_type
from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.ids import AssetId, JobId, WorkerId
from fireside.domain.lifecycle import Verb, advance
from fireside.server.edge import build_edge
from fireside.server.services import Services
from fireside.store.records import JobBody, NewJob, NodeRecord

ORIGIN = "http://fireside.test"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user with two ways to call: a program with a key, and a browser with a session."""

    user: User
    program: httpx.AsyncClient
    browser: httpx.AsyncClient
    cookie: str

    async def upload(self, content: bytes, name: str, **fields: str) -> httpx.Response:
        return await self.program.post("/api/upload/image", files={"image": (name, content)}, data=fields)

    async def view(self, name: str, **params: Any) -> httpx.Response:
        """Read an input file as a browser does."""
        return await self.browser.get("/api/view", params={"filename": name, "type": "input"} | params)


@dataclass(frozen=True, kw_only=True)
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

    async def output(self, person: Person, name: str, content: bytes) -> Asset:
        """Let a job of the person make a file, as a worker would report it."""
        store, now = self.services.store, self.services.clock()
        body = JobBody(graph=b'{"1":{}}', extra_data=b'{"extra_pnginfo":{"workflow":{"id":"w"}}}', outputs=("1",))
        job = await store.add_job(NewJob(id=JobId(uuid4()), user_id=person.user.id, body=body), now, max_queued=None)
        job = await store.change_job(job, advance(job, Verb.ASSIGN, now, worker_id=WorkerId("worker")))
        job = await store.change_job(job, advance(job, Verb.START, now, lease=job.lease))
        written = await self.services.blobs.write_bytes(content, limit_bytes=None)
        made = Asset(
            id=AssetId(uuid4()),
            user_id=person.user.id,
            file=FileName(folder=Folder.OUTPUT, subfolder="", name=name),
            hash=written.hash,
            size_bytes=written.size_bytes,
            content_type=sniff_content_type(written.head, name),
            created_at=now,
            origin=OutputOrigin(job_id=job.id, node_id="1", key="images", index=0),
        )
        output = {"images": [{"filename": name, "subfolder": "", "type": "output"}]}
        _, (asset,) = await store.add_output(job, NodeRecord(node_id="1", display_node_id="1", output=output), [made])
        await store.change_job(job, advance(job, Verb.SUCCEED, now, lease=job.lease))
        return asset

    async def input_of(self, person: Person, name: str) -> Asset | None:
        """Read the record of an input."""
        file = FileName(folder=Folder.INPUT, subfolder="", name=name)
        return await self.services.store.asset_by_file(person.user.id, file)

    def bytes_kept(self) -> list[Path]:
        """Every file among the blobs and in the scratch folder."""
        folders = (self.data_dir / "blobs", self.data_dir / "scratch")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


OpenHouse = Callable[..., Awaitable[House]]


async def open_house(
    config: Config, doors: AsyncExitStack, contract: Published | None, *, public_url: str = ORIGIN
) -> House:
    """Open a server that is closed with the doors."""
    services = (await doors.enter_async_context(assemble(config, public_url=public_url))).services
    app = build_edge(services)

    async def compare(answer: httpx.Response) -> None:
        if contract is not None and answer.headers.get("content-type") == "application/json":
            await answer.aread()
            contract.check(answer)

    async def client(**headers: str) -> httpx.AsyncClient:
        transport, hooks = httpx.ASGITransport(app), {"response": [compare]}
        made = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, event_hooks=hooks)
        return await doors.enter_async_context(made)

    async def person(name: str) -> Person:
        accounts = services.accounts
        user = await accounts.create_user(NewUser(name=name))
        _, key = await accounts.create_key(user)
        cookie = await accounts.use_login_link(await accounts.login_link(user))
        assert cookie is not None
        program = await client(**{"X-API-Key": key})
        browser = await client(Cookie=f"{SESSION_COOKIE}={cookie}", Origin=ORIGIN)
        return Person(user=user, program=program, browser=browser, cookie=cookie)

    ada, bob = await person("ada"), await person("bob")
    return House(services=services, ada=ada, bob=bob, stranger=await client(), data_dir=Path(config.data_dir))
