"""The admin's routes: users, keys, login links, and how the server is.

They answer an admin's key over HTTP, and anybody who can open the admin socket in the data folder.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import fireside
from fireside.accounts.accounts import NewUser
from fireside.blobs.base import Blobs
from fireside.config import MOST_DAYS
from fireside.domain.accounts import ALL_SCOPES, ApiKey, Role, Scope, User
from fireside.domain.audit import Deed
from fireside.domain.errors import BadRequest, FiresideError, NotFound
from fireside.domain.ids import UserId
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_body, read_query
from fireside.server.routes import Access, Answer, Handler, Route
from fireside.server.services import FleetView, Services
from fireside.wire.admin import (
    ChangedUserBody,
    CountersBody,
    CreatedKeyBody,
    DoctorBody,
    KeyBody,
    KeysBody,
    KeysQuery,
    LoginLinkBody,
    LoginLinkQuery,
    NewKeyBody,
    NewUserBody,
    RevokedBody,
    UserBody,
    UsersBody,
    WorkerBody,
)

_BODY_BYTES = 65536
_CREATED = 201
_NO_CONTENT = 204
_LONGEST_SECONDS = 86400 * MOST_DAYS


async def create_user(request: Request) -> Response:
    """Add a user."""
    body = await read_body(request, NewUserBody, limit=_BODY_BYTES)
    new = NewUser(
        name=body.name,
        role=Role(body.role),
        weight=body.weight,
        max_running=body.max_running,
        max_queued=body.max_queued,
        max_run_seconds=body.max_run_seconds,
        keep_jobs=body.keep_jobs,
        keep_days=body.keep_days,
        reuse=body.reuse,
        quota_gpu_seconds=body.quota_gpu_seconds,
        quota_jobs=body.quota_jobs,
        quota_bytes=body.quota_bytes,
    )
    return json_answer(_user_body(await services_of(request).accounts.create_user(new)), _CREATED)


async def change_user(request: Request) -> Response:
    """Change what a user is and may have."""
    body = await read_body(request, ChangedUserBody, limit=_BODY_BYTES)
    accounts = services_of(request).accounts
    user = await accounts.user_named(str(request.path_params["name"]))
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    if "role" in given:
        given["role"] = Role(given["role"])
    return json_answer(_user_body(await accounts.change_user(replace(user, **given))))


async def delete_user(request: Request) -> Response:
    """Delete a user with all that is theirs."""
    accounts = services_of(request).accounts
    await accounts.delete_user(await accounts.user_named(str(request.path_params["name"])))
    return Response(status_code=_NO_CONTENT)


async def list_users(request: Request) -> Response:
    """List all users."""
    found = await services_of(request).accounts.users()
    return json_answer(UsersBody(users=[_user_body(user) for user in found]))


async def create_key(request: Request) -> Response:
    """Make a key for a user and show it, this once."""
    body = await read_body(request, NewKeyBody, limit=_BODY_BYTES)
    accounts = services_of(request).accounts
    user = await accounts.user_named(body.user)
    scopes = ALL_SCOPES if body.scopes is None else frozenset(Scope(word) for word in body.scopes)
    works_for = _span(body.expires_seconds)
    key, secret = await accounts.create_key(user, body.label, scopes=scopes, works_for=works_for)
    answer = CreatedKeyBody(
        id=key.id,
        user=user.name,
        prefix=key.prefix,
        label=key.label,
        scopes=sorted(key.scopes),
        expires_at=key.expires_at,
        key=secret,
    )
    return json_answer(answer, _CREATED)


async def list_keys(request: Request) -> Response:
    """List everybody's keys, or those of one user."""
    accounts = services_of(request).accounts
    name = read_query(request, KeysQuery).user
    owner = await accounts.user_named(name) if name else None
    names = {user.id: user.name for user in await accounts.users()}
    return json_answer(KeysBody(keys=[_key_body(key, names) for key in await accounts.keys(owner)]))


async def revoke_key(request: Request) -> Response:
    """End a key."""
    accounts = services_of(request).accounts
    wanted: str = request.path_params["key_id"]
    key = next((key for key in await accounts.keys() if str(key.id) == wanted), None)
    if key is None:
        raise NotFound(f"there is no key {wanted}")
    return json_answer(RevokedBody(revoked=await accounts.revoke_key(key.id)))


async def make_login_link(request: Request) -> Response:
    """Make a one-time login link for a user, or for the caller."""
    services = services_of(request)
    name = (await read_body(request, LoginLinkQuery, limit=_BODY_BYTES, if_empty=b"{}")).user
    user = await services.accounts.user_named(name) if name else user_of(request)
    token = await services.accounts.login_link(user)
    minutes = services.config.login_link_minutes
    return json_answer(
        LoginLinkBody(url=f"{services.public_url}/login/{token}", user=user.name, minutes=minutes), _CREATED
    )


async def examine(request: Request) -> Response:
    """Say how the server is."""
    services = services_of(request)
    users, trouble, leader = 0, "", None
    skew: float | None = None
    endless: int | None = None
    try:
        await services.store.check()
        await services.maintenances.refresh(services.clock())
        users = len(await services.accounts.users())
        leader = await services.store.leader()
        endless = await services.store.count_endless_keys()
        skew = await _skew(services)
    except FiresideError as error:
        trouble = error.message
    answer = DoctorBody(
        version=fireside.__version__,
        users=users,
        store=trouble,
        blobs=await _trouble_of(services.blobs),
        bus="" if services.bus.is_connected else "the bus is away; jobs wait and nothing is lost",
        workers=_workers(services.fleet),
        leads=services.election.is_leading,
        leader="" if leader is None else leader.holder,
        traces=None if services.tracer is None else await services.tracer.check(),
        maintenance=None if services.maintenances.now is None else services.maintenances.now.reason,
        clock_skew_seconds=skew,
        endless_keys=endless,
        rate_limits=list(services.rates.rules),
    )
    return json_answer(answer)


async def _skew(services: Services) -> float:
    before = services.clock()
    theirs = await services.store.clock()
    after = services.clock()
    return (theirs - (before + (after - before) / 2)).total_seconds()


async def _trouble_of(blobs: Blobs) -> str:
    try:
        await blobs.check()
    except FiresideError as error:
        return error.message
    return ""


async def recount(request: Request) -> Response:
    """Count every user's jobs and assets anew, and put right the counters that are wrong."""
    services = services_of(request)
    wrong: dict[str, int] = {}
    for user in await services.accounts.users():
        jobs = await services.store.miscounted(user.id)
        if jobs:
            await services.store.recount(user.id)
        assets = await services.store.miscounted_assets(user.id)
        if assets:
            await services.store.recount_assets(user.id)
        wrong[user.name] = jobs + assets
    await services.store.note_deed(Deed(action="counters.recount", details={"wrong": wrong}))
    return json_answer(CountersBody(wrong=wrong))


def _user_body(user: User) -> UserBody:
    return UserBody(
        id=user.id,
        name=user.name,
        role=user.role.value,
        weight=user.weight,
        max_running=user.max_running,
        max_queued=user.max_queued,
        max_run_seconds=user.max_run_seconds,
        keep_jobs=user.keep_jobs,
        keep_days=user.keep_days,
        reuse=user.reuse,
        quota_gpu_seconds=user.quota_gpu_seconds,
        quota_jobs=user.quota_jobs,
        quota_bytes=user.quota_bytes,
        created_at=user.created_at,
    )


def _span(seconds: float | None) -> timedelta | None:
    if seconds is None:
        return None
    if not 1 <= seconds <= _LONGEST_SECONDS:
        raise BadRequest(f"expires_seconds is 1 to {_LONGEST_SECONDS}; leave it out for a key without an end")
    return timedelta(seconds=seconds)


def _key_body(key: ApiKey, names: Mapping[UserId, str]) -> KeyBody:
    return KeyBody(
        id=key.id,
        user=names.get(key.user_id, ""),
        prefix=key.prefix,
        label=key.label,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        scopes=sorted(key.scopes),
        expires_at=key.expires_at,
    )


def _workers(fleet: FleetView) -> list[WorkerBody]:
    return [
        WorkerBody(
            id=worker_id,
            runtime=presence.runtime,
            ready=presence.ready,
            draining=presence.draining,
            jobs=len(presence.leases),
        )
        for worker_id, presence in sorted(fleet.presences().items())
    ]


def _route(method: str, path: str, handler: Handler, name: str, text: str, **more: Any) -> Route:
    return Route(
        method=method, path=path, handler=handler, name=name, text=text, tag="admin", access=Access.ADMIN, **more
    )


ROUTES = (
    _route(
        "POST",
        "/admin/api/users",
        create_user,
        "createUser",
        "Add a user",
        body=NewUserBody,
        answers={201: Answer(text="The user", body=UserBody)},
    ),
    _route(
        "GET",
        "/admin/api/users",
        list_users,
        "listUsers",
        "List all users",
        answers={200: Answer(text="All users", body=UsersBody)},
    ),
    _route(
        "PATCH",
        "/admin/api/users/{name}",
        change_user,
        "changeUser",
        "Change a user's role, weight and limits",
        body=ChangedUserBody,
        answers={200: Answer(text="The user", body=UserBody)},
    ),
    _route(
        "DELETE",
        "/admin/api/users/{name}",
        delete_user,
        "deleteUser",
        "Delete a user with all that is theirs",
        answers={204: Answer(text="Nobody is this user any more; jobs and files are being removed")},
    ),
    _route(
        "POST",
        "/admin/api/keys",
        create_key,
        "createKey",
        "Make an API key",
        body=NewKeyBody,
        answers={201: Answer(text="The key, shown this once", body=CreatedKeyBody)},
    ),
    _route(
        "GET",
        "/admin/api/keys",
        list_keys,
        "listKeys",
        "List API keys",
        query=KeysQuery,
        answers={200: Answer(text="Keys, revoked ones included", body=KeysBody)},
    ),
    _route(
        "POST",
        "/admin/api/keys/{key_id}/revoke",
        revoke_key,
        "revokeKey",
        "End an API key",
        answers={200: Answer(text="Whether it was valid until now", body=RevokedBody)},
    ),
    _route(
        "POST",
        "/admin/api/login-link",
        make_login_link,
        "makeLoginLink",
        "Make a one-time login link",
        body=LoginLinkQuery,
        body_is_optional=True,
        answers={201: Answer(text="The link", body=LoginLinkBody)},
    ),
    _route(
        "GET",
        "/admin/api/doctor",
        examine,
        "examine",
        "Say how the server is",
        answers={200: Answer(text="How it is", body=DoctorBody)},
    ),
    _route(
        "POST",
        "/admin/api/counters",
        recount,
        "recount",
        "Count all jobs and assets anew and put the counters right",
        answers={200: Answer(text="What was wrong", body=CountersBody)},
    ),
)
"""Only admins may call them."""
