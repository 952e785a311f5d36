"""The admin's routes that let people in: invitations, and links by which a password is chosen."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Role
from fireside.domain.errors import NotFound
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Route
from fireside.wire.people import (
    CreatedInvitationBody,
    InvitationBody,
    InvitationsBody,
    NewInvitationBody,
    PasswordLinkBody,
    PasswordLinkQuery,
)

_BODY_BYTES = 65536
_CREATED = 201
_NO_CONTENT = 204
_ID_DIGITS = 18


async def invite(request: Request) -> Response:
    """Invite somebody and show the link, this once."""
    services = services_of(request)
    body = await read_body(request, NewInvitationBody, limit=_BODY_BYTES)
    invitation, token = await services.sign_ins.invite(body.name, Role(body.role), body.weight)
    answer = CreatedInvitationBody(
        id=invitation.id,
        name=invitation.name,
        role=invitation.role.value,
        url=f"{services.public_url}/invite/{token}",
        expires_at=invitation.expires_at,
    )
    return json_answer(answer, _CREATED)


async def list_invitations(request: Request) -> Response:
    """List the invitations that nobody has used yet."""
    found = [
        InvitationBody(id=one.id, name=one.name, role=one.role.value, weight=one.weight, expires_at=one.expires_at)
        for one in await services_of(request).sign_ins.invitations()
    ]
    return json_answer(InvitationsBody(invitations=found))


async def take_back_invitation(request: Request) -> Response:
    """Take an invitation back."""
    wanted: str = request.path_params["id"]
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= _ID_DIGITS):
        raise NotFound(f"there is no invitation {wanted}")
    await services_of(request).sign_ins.take_back(int(wanted))
    return Response(status_code=_NO_CONTENT)


async def make_password_link(request: Request) -> Response:
    """Make a link by which a user chooses a new password."""
    services = services_of(request)
    body = await read_body(request, PasswordLinkQuery, limit=_BODY_BYTES)
    user = await services.accounts.user_named(body.user)
    token, expires_at = await services.sign_ins.password_link(user)
    answer = PasswordLinkBody(url=f"{services.public_url}/password/{token}", user=user.name, expires_at=expires_at)
    return json_answer(answer, _CREATED)


ROUTES = (
    Route(
        method="POST",
        path="/admin/api/invitations",
        handler=invite,
        name="invite",
        text="Invite somebody",
        tag="admin",
        access=Access.ADMIN,
        body=NewInvitationBody,
        answers={201: Answer(text="The invitation, with its link, shown this once", body=CreatedInvitationBody)},
    ),
    Route(
        method="GET",
        path="/admin/api/invitations",
        handler=list_invitations,
        name="listInvitations",
        text="List invitations",
        tag="admin",
        access=Access.ADMIN,
        answers={200: Answer(text="Those that can be used", body=InvitationsBody)},
    ),
    Route(
        method="DELETE",
        path="/admin/api/invitations/{id}",
        handler=take_back_invitation,
        name="takeBackInvitation",
        text="Take an invitation back",
        tag="admin",
        access=Access.ADMIN,
        answers={204: Answer(text="It can be used no more")},
    ),
    Route(
        method="POST",
        path="/admin/api/password-link",
        handler=make_password_link,
        name="makePasswordLink",
        text="Make a link by which a user chooses a new password",
        tag="admin",
        access=Access.ADMIN,
        body=PasswordLinkQuery,
        answers={201: Answer(text="The link", body=PasswordLinkBody)},
    ),
)
"""Only admins may call them."""
