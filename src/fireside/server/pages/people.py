"""The pages of people: who there is, whom one has invited, and what each may. Admins only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal, Role, User
from fireside.domain.errors import BadRequest, NotFound, Refused
from fireside.domain.usage import bytes_in_words
from fireside.server.callers import services_of
from fireside.server.pages.limits import ROLES, limit_fields, read_limits, read_number
from fireside.server.pages.rendering import form_of, redirect
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import changed, framed, shown
from fireside.server.refusals import status_of

PLACE = "/dashboard/people"
_INVITATIONS = "/dashboard/invitations"
_ID_DIGITS = 18


async def show_people(request: Request, principal: Principal) -> Response:
    """Show all users, and the invitations that nobody has used yet."""
    return await _people(request, principal)


async def invite(request: Request, principal: Principal) -> Response:
    """Invite somebody and show the link, this once."""
    form = await form_of(request)
    try:
        role = form.get("role", "")
        if role not in ROLES:
            raise BadRequest("a role is admin or member")
        weight = read_number("weight", form.get("weight", "").strip() or "1")
        sign_ins = services_of(request).sign_ins
        _, token = await sign_ins.invite(form.get("name", "").strip() or None, Role(role), weight)
    except Refused as error:
        return await _people(request, principal, form=form, problem=error.message, status=status_of(error))
    return await _people(request, principal, link=f"{services_of(request).public_url}/invite/{token}")


async def take_back(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """Take an invitation back."""
    wanted = str(request.path_params["id"])
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= _ID_DIGITS):
        raise NotFound(f"there is no invitation {wanted}")
    await services_of(request).sign_ins.take_back(int(wanted))
    return redirect(PLACE)


async def show_person(request: Request, principal: Principal) -> Response:
    """Show what a user may, and their keys."""
    return await _person(request, principal, await _named(request))


async def change_person(request: Request, principal: Principal) -> Response:
    """Change what a user is and may."""
    user, form = await _named(request), await form_of(request)
    try:
        role = form.get("role", user.role.value)
        if role not in ROLES:
            raise BadRequest("a role is admin or member")
        await services_of(request).accounts.change_user(replace(user, role=Role(role), **read_limits(form)))
    except Refused as error:
        return await _person(request, principal, user, form=form, problem=error.message, status=status_of(error))
    return redirect(f"{_path_of(user)}?changed")


async def make_password_link(request: Request, principal: Principal) -> Response:
    """Make a link by which a user chooses a password, and show it, this once."""
    services, user = services_of(request), await _named(request)
    token, _ = await services.sign_ins.password_link(user)
    return await _person(request, principal, user, link=f"{services.public_url}/password/{token}")


async def revoke_key(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a page's shape
    """End a key of a user."""
    accounts, user = services_of(request).accounts, await _named(request)
    found = [key.id for key in await accounts.keys(user) if str(key.id) == request.path_params["key_id"]]
    if not found:
        raise NotFound(f"{user.name} has no such key")
    await accounts.revoke_key(found[0])
    return redirect(_path_of(user))


async def delete_person(request: Request, principal: Principal) -> Response:
    """Delete a user with all that is theirs, when their name was written once more."""
    user, form = await _named(request), await form_of(request)
    try:
        if form.get("name", "").strip() != user.name:
            raise BadRequest(f"Write the name to delete {user.name}.")
        await services_of(request).accounts.delete_user(user)
    except Refused as error:
        return await _person(request, principal, user, end_problem=error.message, status=status_of(error))
    return redirect(PLACE)


async def _named(request: Request) -> User:
    return await services_of(request).accounts.user_named(str(request.path_params["name"]))


async def _people(
    request: Request,
    principal: Principal,
    *,
    form: Mapping[str, str] | None = None,
    problem: str = "",
    link: str = "",
    status: int = 200,
) -> Response:
    services = services_of(request)
    shares = {share.user_id: share for share in await services.store.shares()}
    return framed(
        principal,
        "people.html",
        PLACE,
        status,
        people=[(user, shares.get(user.id), _path_of(user)) for user in await services.accounts.users()],
        invitations=await services.sign_ins.invitations(),
        form={"name": "", "role": "", "weight": "1", **(form or {})},
        problem=problem,
        link=link,
        days=services.config.invitation_days,
    )


async def _person(request: Request, principal: Principal, user: User, status: int = 200, **told: Any) -> Response:
    services = services_of(request)
    form: Mapping[str, str] | None = told.pop("form", None)
    return framed(
        principal,
        "person.html",
        PLACE,
        status,
        person=user,
        path=_path_of(user),
        role=(form or {}).get("role", user.role.value),
        fields=limit_fields(user, services.config, form),
        keys=[key for key in await services.accounts.keys(user) if key.revoked_at is None],
        is_oneself=user.id == principal.user.id,
        is_changed="changed" in request.query_params and not told,
        stored=bytes_in_words((await services.store.month_use(user.id, services.clock())).stored_bytes),
        **{"problem": "", "end_problem": "", "link": "", **told},
    )


def _path_of(user: User) -> str:
    return f"{PLACE}/{quote(user.name, safe='')}"


ROUTES = page_rows(
    (
        ("GET", PLACE, shown(show_people, for_admins=True), "showPeople", "The users as a page"),
        ("POST", _INVITATIONS, changed(invite, for_admins=True), "inviteFromPage", "Invite somebody"),
        (
            "POST",
            f"{_INVITATIONS}/{{id}}/take-back",
            changed(take_back, for_admins=True),
            "takeBackFromPage",
            "Take an invitation back",
        ),
        ("GET", f"{PLACE}/{{name}}", shown(show_person, for_admins=True), "showPerson", "A user as a page"),
        (
            "POST",
            f"{PLACE}/{{name}}",
            changed(change_person, for_admins=True),
            "changePerson",
            "Change what a user may",
        ),
        (
            "POST",
            f"{PLACE}/{{name}}/password-link",
            changed(make_password_link, for_admins=True),
            "makePasswordLinkFromPage",
            "Make a link by which a user chooses a password",
        ),
        (
            "POST",
            f"{PLACE}/{{name}}/keys/{{key_id}}/revoke",
            changed(revoke_key, for_admins=True),
            "revokeKeyFromPage",
            "End a key of a user",
        ),
        (
            "POST",
            f"{PLACE}/{{name}}/delete",
            changed(delete_person, for_admins=True),
            "deletePerson",
            "Delete a user with all that is theirs",
        ),
    )
)
"""Anybody may call the pages; each looks for itself who it is."""
