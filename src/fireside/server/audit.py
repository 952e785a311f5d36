"""What admins have done, for admins: as an answer and as a page."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.accounts import Principal
from fireside.domain.audit import AuditEntry
from fireside.server.answers import json_answer
from fireside.server.callers import services_of
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import framed, shown
from fireside.server.reading import read_query
from fireside.server.routes import Access, Answer, Route
from fireside.server.services import Services
from fireside.wire.audit import AuditBody, AuditEntryBody, AuditQuery

PLACE = "/dashboard/audit"


async def list_audit(request: Request) -> Response:
    """List what admins have done, a page of it."""
    return json_answer(await _page(services_of(request), read_query(request, AuditQuery)))


async def show_audit(request: Request, principal: Principal) -> Response:
    """Show what admins have done, a page of it."""
    query = read_query(request, AuditQuery)
    services = services_of(request)
    found = await _page(services, query)
    lines = [
        (entry, ", ".join(f"{name} {_word(value)}" for name, value in entry.details.items())) for entry in found.entries
    ]
    return framed(
        principal,
        "audit.html",
        "/dashboard/system",
        lines=lines,
        whose=query.user,
        next_cursor=found.next_cursor,
        days=services.config.audit_days,
    )


async def _page(services: Services, query: AuditQuery) -> AuditBody:
    before = int(query.cursor) if query.cursor else None
    found = await services.store.audit_entries(before=before, actor=query.user, limit=query.limit + 1)
    entries = [_body_of(entry) for entry in found[: query.limit]]
    return AuditBody(entries=entries, next_cursor=str(entries[-1].id) if len(found) > query.limit else "")


def _body_of(entry: AuditEntry) -> AuditEntryBody:
    return AuditEntryBody(
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        way=entry.way,
        address=entry.address,
        action=entry.action,
        target=entry.target,
        details=dict(entry.details),
    )


def _word(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


ROUTES = (
    Route(
        method="GET",
        path="/admin/api/audit",
        handler=list_audit,
        name="listAudit",
        text="List what admins have done, the newest first",
        tag="admin",
        access=Access.ADMIN,
        query=AuditQuery,
        answers={200: Answer(text="A page of it", body=AuditBody)},
    ),
    *page_rows((("GET", PLACE, shown(show_audit, for_admins=True), "showAudit", "What admins have done, as a page"),)),
)
"""Only admins may call the first; the page looks for itself who it is."""
