"""What the editor asks at its start, and comfy-cli of an account, where there is little to say.

Users are made by an admin and known by what they show, so nobody is listed and nobody chooses to be somebody.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.errors import Forbidden
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.editor.packs import scripts_of
from fireside.server.routes import TEXT, Access, Answer, Handler, Route
from fireside.wire.refusals import RefusalBody
from fireside.wire.v1_editor import BillingStatusBody, UsersBody, WorkspaceBody


async def list_users(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Say that the caller's data are kept here."""
    return json_answer(UsersBody())


async def list_scripts(request: Request) -> Response:
    """Give the addresses of the scripts that the editor is to load: our own, and those that the operator allows."""
    editor = services_of(request).editor
    return json_answer([*editor.own_scripts, *await scripts_of(editor.packs)])


async def add_user(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Refuse: whoever can reach the server would otherwise let themselves in."""
    raise Forbidden("Users are made by an admin of this server, with `fireside users create`.")


async def get_workspace(request: Request) -> Response:
    """Describe the caller's workspace, which is the caller."""
    user = user_of(request)
    return json_answer(WorkspaceBody(id=str(user.id), name=user.name))


async def get_billing_status(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Say that nothing is billed."""
    return json_answer(BillingStatusBody())


async def say_healthy(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
    """Answer, which is all there is to say."""
    return Response("OK", media_type=TEXT)


def _always(value: object) -> Handler:
    async def answer(request: Request) -> Response:  # noqa: ARG001 - every handler takes the request
        return json_answer(value)

    return answer


ROUTES = (
    Route(
        method="GET",
        path="/api/users",
        handler=list_users,
        name="getUsers",
        text="Say where the caller's data are kept; other users are not shown",
        tag="user",
        answers={200: Answer(text="On the server", body=UsersBody)},
    ),
    Route(
        method="POST",
        path="/api/users",
        handler=add_user,
        name="postUsers",
        text="Refused: users are made by an admin",
        tag="user",
        answers={403: Answer(text="Always", body=RefusalBody)},
    ),
    Route(
        method="GET",
        path="/api/extensions",
        handler=list_scripts,
        name="getExtensions",
        text="List the scripts that the editor is to load: our own, and those of node packs that the operator allows",
        tag="node",
        answers={200: Answer(text="Their paths", body=list[str])},
    ),
    Route(
        method="GET",
        path="/api/node_replacements",
        handler=_always({}),
        name="getNodeReplacements",
        text="Say which nodes stand for others; there are none",
        tag="node",
        answers={200: Answer(text="By class", body=dict[str, Any])},
    ),
    Route(
        method="GET",
        path="/api/billing/status",
        handler=get_billing_status,
        name="getBillingStatus",
        text="Say that nothing is billed, for comfy-cli",
        tag="user",
        answers={200: Answer(text="Nothing runs out", body=BillingStatusBody)},
    ),
    Route(
        method="GET",
        path="/api/workspaces/current",
        handler=get_workspace,
        name="getCurrentWorkspace",
        text="Describe the caller's workspace, for comfy-cli",
        tag="user",
        answers={200: Answer(text="The caller's own", body=WorkspaceBody)},
    ),
    Route(
        method="GET",
        path="/health",
        handler=say_healthy,
        name="sayHealthy",
        text="Whether the server is alive, in one word",
        tag="health",
        access=Access.PUBLIC,
        answers={200: Answer(text="OK", media_types=(TEXT,))},
    ),
)
