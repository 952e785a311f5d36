"""Deleting a user over a real store: at once for everybody, and with all that was theirs in small steps."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import Databases, SqliteDatabases
from tests.publishing import publish

from fireside.accounts.accounts import NewUser
from fireside.app import assemble
from fireside.domain.accounts import Role, User
from fireside.domain.errors import Conflict
from fireside.domain.ids import WorkerId
from fireside.domain.jobs import JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.server.edge import build_edge
from fireside.server.services import Services
from fireside.upkeep.departures import Departures

ORIGIN = "http://fireside.test"
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
TABLES_SQLITE = """SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND c.name = 'user_id'"""
TABLES_POSTGRES = """SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'user_id'"""


@dataclass
class House:
    services: Services
    outside: httpx.AsyncClient
    admin: httpx.AsyncClient
    tables: Callable[[User], dict[str, int]]

    async def moves_in(self, name: str) -> User:
        """Make a user who has something of everything."""
        user = await self.services.accounts.create_user(NewUser(name=name))
        self.outside.headers["X-API-Key"] = (await self.services.accounts.create_key(user))[1]
        await self.services.accounts.login_link(user)
        await self.services.accounts.begin_session(user.id)
        await self.services.sign_ins.password_link(user)
        for body in ({"prompt": GRAPH}, {"prompt": GRAPH, "extra_data": {"extra_pnginfo": {"workflow": {"id": "w"}}}}):
            await self.asked("POST", "/api/prompt", json=body)
        submit = {"workflow": GRAPH, "fireside": {"webhook_url": "https://hooks.example.com/mine"}}
        await self.asked("POST", "/api/v2/jobs", json=submit, headers={"Idempotency-Key": "once"})
        picture = {"image": ("cat.png", files("fireside.examples").joinpath("cat.png").read_bytes(), "image/png")}
        await self.asked("POST", "/api/upload/image", files=picture)
        await self.asked("POST", "/api/userdata/workflows%2Fmine.json", content=b"{}")
        await self.asked("POST", "/api/settings/Comfy.Locale", json="en")
        await self.asked("POST", "/api/queue/pause", json={})
        return user

    async def asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = await self.outside.request(method, path, **more)
        assert answer.is_success, (path, answer.text)
        return answer

    async def see_off(self) -> None:
        await Departures(self.services.desk).see_off(self.services.clock())


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "data"
    config = databases.config(folder, webhook_hosts=["hooks.example.com"])

    def counted(user: User) -> dict[str, int]:
        with databases.raw(folder) as execute:
            tables = execute(TABLES_SQLITE if isinstance(databases, SqliteDatabases) else TABLES_POSTGRES)
            counts: dict[str, Sequence[Sequence[Any]]] = {
                table: execute(f"SELECT count(*) FROM {table} WHERE user_id = {user.id}") for (table,) in tables
            }
        return {table: rows[0][0] for table, rows in counts.items() if rows[0][0]}

    async with assemble(config, public_url=ORIGIN) as assembly:
        await publish(assembly.services.store)
        outside = httpx.ASGITransport(app=build_edge(assembly.services))
        admin = httpx.ASGITransport(app=build_edge(assembly.services, as_admin=True))
        async with (
            httpx.AsyncClient(transport=outside, base_url=ORIGIN) as client,
            httpx.AsyncClient(transport=admin, base_url="http://localhost") as inside,
        ):
            yield House(assembly.services, client, inside, counted)


async def test_a_deleted_user_is_nobody_at_once_and_the_name_is_free(house: House) -> None:
    await house.moves_in("ann")

    deleted = await house.admin.delete("/admin/api/users/ann")

    assert deleted.status_code == 204
    assert (await house.outside.get("/api/user")).status_code == 401
    assert (await house.admin.delete("/admin/api/users/ann")).status_code == 404
    listed = (await house.admin.get("/admin/api/users")).json()["users"]
    assert [user["name"] for user in listed] == ["admin"]
    again = await house.services.accounts.create_user(NewUser(name="ann"))
    assert house.tables(again) == {"user_share": 1}


async def test_all_that_was_theirs_goes_and_what_is_others_stays(house: House) -> None:
    bob = await house.moves_in("bob")
    ann = await house.moves_in("ann")
    kept, had = house.tables(bob), house.tables(ann)
    assert had.keys() >= {"job", "asset", "api_key", "session", "user_file", "user_setting", "webhook", "pause"}

    await house.admin.delete("/admin/api/users/ann")
    await house.see_off()

    assert house.tables(ann) == {}
    assert house.tables(bob) == kept
    assert not await house.services.store.departing_users()
    assert (await house.services.store.miscounted(bob.id), await house.services.store.miscounted_assets(bob.id)) == (
        0,
        0,
    )


async def test_a_job_that_a_worker_runs_is_waited_for(house: House) -> None:
    ann = await house.moves_in("ann")
    await house.asked("POST", "/api/queue/resume", json={})
    store, now = house.services.store, house.services.clock()
    job = (await store.active_jobs(ann.id))[0]
    term = await store.take_term("test", now)
    assigned = advance(job, Verb.ASSIGN, now, worker_id=WorkerId("gpu-1"))
    assigned = await store.change_job(job, assigned, term=term)
    await store.change_job(assigned, advance(assigned, Verb.START, now, lease=assigned.lease))

    await house.admin.delete("/admin/api/users/ann")
    await house.see_off()

    assert {"job", "user_share"} <= house.tables(ann).keys()
    (left,) = await store.active_jobs(ann.id)
    assert left.state is JobState.CANCELING

    await store.change_job(left, advance(left, Verb.SUCCEED, now, lease=left.lease))
    await house.see_off()

    assert house.tables(ann) == {}


async def test_the_last_admin_stays(house: House) -> None:
    accounts = house.services.accounts
    first = await accounts.first_admin()

    with pytest.raises(Conflict, match="last admin"):
        await accounts.delete_user(first)

    await accounts.create_user(NewUser(name="second", role=Role.ADMIN))
    await accounts.delete_user(first)
    assert [user.name for user in await accounts.users()] == ["second"]


async def test_bytes_still_belong_to_the_database_whose_first_user_is_deleted(house: House) -> None:
    store, accounts = house.services.store, house.services.accounts
    first = await accounts.first_admin()
    before = await store.first_user()
    await accounts.create_user(NewUser(name="second", role=Role.ADMIN))

    await accounts.delete_user(first)
    await house.see_off()

    after = await store.first_user()
    assert before is not None
    assert after is not None
    assert after.created_at == before.created_at
