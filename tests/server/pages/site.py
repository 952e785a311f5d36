"""A server's pages, and a browser that asks for them."""

from dataclasses import dataclass
from uuid import uuid4

import httpx

from fireside.accounts.accounts import NewUser
from fireside.app import utc_now
from fireside.domain.accounts import User
from fireside.domain.ids import JobId
from fireside.domain.jobs import Job
from fireside.server.services import Services
from fireside.store.records import JobBody, NewJob

ORIGIN = "http://fireside.test"


@dataclass
class Site:
    services: Services
    browser: httpx.AsyncClient

    async def user(self, name: str = "ada") -> User:
        return await self.services.accounts.create_user(NewUser(name=name))

    async def sign_in(self, name: str = "ada") -> User:
        user = await self.user(name)
        answer = await self.browser.post(f"/login/{await self.services.accounts.login_link(user)}")
        assert answer.status_code == 303
        return user

    async def sign_in_as_admin(self) -> User:
        admin = await self.services.accounts.first_admin()
        answer = await self.browser.post(f"/login/{await self.services.accounts.login_link(admin)}")
        assert answer.status_code == 303
        return admin

    async def job(self, user: User) -> Job:
        body = JobBody(graph=b"{}", extra_data=b"{}", outputs=())
        new = NewJob(id=JobId(uuid4()), user_id=user.id, body=body)
        return await self.services.store.add_job(new, utc_now(), max_queued=None)
