"""The admin's routes: users, keys, login links, and how the server is.

They answer an admin's key over HTTP, and anybody who can open the admin socket in the data folder.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

import fireside
from fireside.accounts.accounts import NewUser
from fireside.domain.accounts import ApiKey, Role, User
from fireside.domain.errors import BadRequest, FiresideError, NotFound, TooLarge, Unauthenticated
from fireside.domain.ids import UserId
from fireside.server.callers import principal_of, services_of
from fireside.server.services import FleetView
from fireside.wire.admin import (
    CreatedKeyBody,
    DoctorBody,
    KeyBody,
    KeysBody,
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
_T = TypeVar("_T")


async def create_user(request: Request) -> Response:
    """Add a user."""
    body = await _body(request, NewUserBody)
    new = NewUser(
        name=body.name,
        role=Role(body.role),
        weight=body.weight,
        max_running=body.max_running,
        max_queued=body.max_queued,
    )
    return _answer(_user_body(await services_of(request).accounts.create_user(new)), _CREATED)


async def list_users(request: Request) -> Response:
    """List all users."""
    found = await services_of(request).accounts.users()
    return _answer(UsersBody(users=[_user_body(user) for user in found]))


async def create_key(request: Request) -> Response:
    """Make a key for a user and show it, this once."""
    body = await _body(request, NewKeyBody)
    accounts = services_of(request).accounts
    user = await accounts.user_named(body.user)
    key, secret = await accounts.create_key(user, body.label)
    answer = CreatedKeyBody(id=key.id, user=user.name, prefix=key.prefix, label=key.label, key=secret)
    return _answer(answer, _CREATED)


async def list_keys(request: Request) -> Response:
    """List everybody's keys, or those of one user."""
    accounts = services_of(request).accounts
    name = request.query_params.get("user")
    owner = await accounts.user_named(name) if name else None
    names = {user.id: user.name for user in await accounts.users()}
    return _answer(KeysBody(keys=[_key_body(key, names) for key in await accounts.keys(owner)]))


async def revoke_key(request: Request) -> Response:
    """End a key."""
    accounts = services_of(request).accounts
    wanted: str = request.path_params["key_id"]
    key = next((key for key in await accounts.keys() if str(key.id) == wanted), None)
    if key is None:
        raise NotFound(f"there is no key {wanted}")
    return _answer(RevokedBody(revoked=await accounts.revoke_key(key.id)))


async def make_login_link(request: Request) -> Response:
    """Make a one-time login link for a user, or for the caller."""
    services = services_of(request)
    name = (await _body(request, LoginLinkQuery)).user
    user = await services.accounts.user_named(name) if name else _caller(request)
    token = await services.accounts.login_link(user)
    minutes = services.config.login_link_minutes
    return _answer(LoginLinkBody(url=f"{services.public_url}/login/{token}", user=user.name, minutes=minutes), _CREATED)


async def examine(request: Request) -> Response:
    """Say how the server is."""
    services = services_of(request)
    users, trouble = 0, ""
    try:
        await services.store.check()
        users = len(await services.accounts.users())
    except FiresideError as error:
        trouble = error.message
    answer = DoctorBody(
        version=fireside.__version__,
        users=users,
        store=trouble,
        bus="" if services.bus.is_connected else "the bus is away; jobs wait and nothing is lost",
        workers=_workers(services.fleet),
    )
    return _answer(answer)


ROUTES = (
    ("POST", "/admin/api/users", create_user),
    ("GET", "/admin/api/users", list_users),
    ("POST", "/admin/api/keys", create_key),
    ("GET", "/admin/api/keys", list_keys),
    ("POST", "/admin/api/keys/{key_id}/revoke", revoke_key),
    ("POST", "/admin/api/login-link", make_login_link),
    ("GET", "/admin/api/doctor", examine),
)
"""Method, path and handler of each route; only admins may call them."""


def _caller(request: Request) -> User:
    principal = principal_of(request)
    if principal is None:
        raise Unauthenticated("whose link is it to be?")
    return principal.user


async def _body(request: Request, kind: type[_T]) -> _T:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _BODY_BYTES:
            raise TooLarge(f"a body here has at most {_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(bytes(content) or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not as it should be: {error}") from error


def _answer(body: msgspec.Struct, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(body), status, media_type="application/json", headers=headers)


def _user_body(user: User) -> UserBody:
    return UserBody(
        id=user.id,
        name=user.name,
        role=user.role.value,
        weight=user.weight,
        max_running=user.max_running,
        max_queued=user.max_queued,
        created_at=user.created_at,
    )


def _key_body(key: ApiKey, names: Mapping[UserId, str]) -> KeyBody:
    return KeyBody(
        id=key.id,
        user=names.get(key.user_id, ""),
        prefix=key.prefix,
        label=key.label,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
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
