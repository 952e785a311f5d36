"""The admin's route that tells how the server is: versions, settings in force, health, disk and backups."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.routes import Access, Answer, Route
from fireside.server.system_report import report_on_system
from fireside.wire.system import SystemBody


async def show_system(request: Request) -> Response:
    """Say how the server is."""
    return json_answer(await report_on_system(services_of(request)))


ROUTES = (
    Route(
        method="GET",
        path="/admin/api/system",
        handler=show_system,
        name="showSystem",
        text="Versions, settings in force, health, disk and backups",
        tag="admin",
        access=Access.ADMIN,
        answers={200: Answer(text="How the server is; no secret is among it", body=SystemBody)},
    ),
)
"""Only admins may call it."""
