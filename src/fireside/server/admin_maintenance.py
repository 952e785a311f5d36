"""The admin's routes to put the servers into maintenance, and out of it."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.maintenance import Maintenances
from fireside.server.reading import read_body
from fireside.server.routes import Access, Answer, Route
from fireside.wire.maintenance import MaintenanceBody, NewMaintenanceBody

_BODY_BYTES = 64 * 1024


async def show_maintenance(request: Request) -> Response:
    """Say whether the servers are in maintenance."""
    maintenances = services_of(request).maintenances
    await maintenances.refresh(services_of(request).clock())
    return _answer(maintenances)


async def set_maintenance(request: Request) -> Response:
    """Put the servers into maintenance, or out of it."""
    body = await read_body(request, NewMaintenanceBody, limit=_BODY_BYTES)
    maintenances = services_of(request).maintenances
    if body.on:
        await maintenances.begin(body.reason)
    else:
        await maintenances.end()
    return _answer(maintenances)


def _answer(maintenances: Maintenances) -> Response:
    now = maintenances.now
    if now is None:
        return json_answer(MaintenanceBody(on=False, reason="", began_at=None))
    return json_answer(MaintenanceBody(on=True, reason=now.reason, began_at=now.began_at))


ROUTES = (
    Route(
        method="GET",
        path="/admin/api/maintenance",
        handler=show_maintenance,
        name="showMaintenance",
        text="Say whether the servers are in maintenance",
        tag="admin",
        access=Access.ADMIN,
        answers={200: Answer(text="Whether, since when and why", body=MaintenanceBody)},
    ),
    Route(
        method="PUT",
        path="/admin/api/maintenance",
        handler=set_maintenance,
        name="setMaintenance",
        text="Put the servers into maintenance, in which they take no changes, or out of it",
        tag="admin",
        access=Access.ADMIN,
        always_taken=True,
        body=NewMaintenanceBody,
        answers={200: Answer(text="How it is now", body=MaintenanceBody)},
    ),
)
"""Only admins may call them."""
