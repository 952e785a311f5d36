"""What was used: of oneself for everybody, of all users for an admin; as JSON and as CSV."""

from starlette.requests import Request
from starlette.responses import Response

from fireside.domain.usage import Usage, month_of
from fireside.server.answers import json_answer
from fireside.server.callers import services_of, user_of
from fireside.server.reading import read_query
from fireside.server.routes import Access, Answer, Route
from fireside.server.usage_report import Report, csv_of, month_of_user, read_span, report_of
from fireside.wire.refusals import RefusalBody
from fireside.wire.usage import (
    AllUsageBody,
    AllUsageQuery,
    DayUsageBody,
    MonthBody,
    OwnUsageBody,
    QuotaBody,
    UsageBody,
    UsageQuery,
    WorkflowUsageBody,
)

CSV = "text/csv"


async def show_usage(request: Request) -> Response:
    """Say what the caller has used, and what they may use this month."""
    services, user = services_of(request), user_of(request)
    report = await _own_report(request)
    use, quota = await month_of_user(services, user)
    month = MonthBody(
        month=month_of(services.clock()),
        used=_body(use.used),
        active_jobs=use.active,
        stored_bytes=use.stored_bytes,
        quota=QuotaBody(gpu_seconds=quota.gpu_seconds, jobs=quota.jobs, stored_bytes=quota.stored_bytes),
    )
    return json_answer(
        OwnUsageBody(
            first=report.span.first,
            last=report.span.last,
            total=_body(report.total),
            days=_days(report),
            workflows=_workflows(report),
            this_month=month,
        )
    )


async def show_usage_table(request: Request) -> Response:
    """Say by day and key what the caller has used."""
    return csv_answer(await _own_report(request))


async def show_all_usage(request: Request) -> Response:
    """Say what everybody has used, or one user."""
    services = services_of(request)
    report = await _all_report(request)
    names = {user.id: user.name for user in await services.accounts.users()}
    stored = await services.store.stored_bytes()
    answer = AllUsageBody(
        first=report.span.first,
        last=report.span.last,
        total=_body(report.total),
        days=_days(report),
        workflows=_workflows(report),
        stored_bytes={names[user_id]: size for user_id, size in stored.items() if user_id in names},
    )
    return json_answer(answer)


async def show_all_usage_table(request: Request) -> Response:
    """Say by day, user and key what everybody has used."""
    return csv_answer(await _all_report(request))


def csv_answer(report: Report) -> Response:
    """Answer with the days of a report as a file."""
    name = f"usage-{report.span.first}-{report.span.last}.csv"
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(csv_of(report), media_type=CSV, headers=headers)


async def _own_report(request: Request) -> Report:
    services, query = services_of(request), read_query(request, UsageQuery)
    return await report_of(services, user_of(request), read_span(query.first, query.last, services.clock()))


async def _all_report(request: Request) -> Report:
    services, query = services_of(request), read_query(request, AllUsageQuery)
    user = await services.accounts.user_named(query.user) if query.user else None
    return await report_of(services, user, read_span(query.first, query.last, services.clock()))


def _body(usage: Usage) -> UsageBody:
    return UsageBody(jobs=usage.jobs, gpu_seconds=usage.gpu_seconds, made_bytes=usage.made_bytes)


def _days(report: Report) -> list[DayUsageBody]:
    return [
        DayUsageBody(
            day=use.day,
            user=report.user_of(use),
            key_id=use.key_id,
            key=report.key_of(use) if use.key_id is not None else "",
            jobs=use.usage.jobs,
            gpu_seconds=use.usage.gpu_seconds,
            made_bytes=use.usage.made_bytes,
        )
        for use in report.days
    ]


def _workflows(report: Report) -> list[WorkflowUsageBody]:
    return [
        WorkflowUsageBody(
            month=use.month,
            user=report.user_of(use),
            workflow_id=use.workflow,
            jobs=use.usage.jobs,
            gpu_seconds=use.usage.gpu_seconds,
            made_bytes=use.usage.made_bytes,
        )
        for use in report.workflows
    ]


_MALFORMED = Answer(text="A parameter is not as it should be", body=RefusalBody)
_TABLE = Answer(text="A line for each day and key", media_types=(CSV,))

ROUTES = (
    Route(
        method="GET",
        path="/api/usage",
        handler=show_usage,
        name="getUsage",
        text="Say what the caller has used, by day, key and workflow, and what they may use this month",
        tag="usage",
        query=UsageQuery,
        answers={200: Answer(text="What was used", body=OwnUsageBody), 400: _MALFORMED},
    ),
    Route(
        method="GET",
        path="/api/usage.csv",
        handler=show_usage_table,
        name="getUsageTable",
        text="Say what the caller has used, by day and key, as CSV",
        tag="usage",
        query=UsageQuery,
        answers={200: _TABLE, 400: _MALFORMED},
    ),
    Route(
        method="GET",
        path="/admin/api/usage",
        handler=show_all_usage,
        name="getAllUsage",
        text="Say what everybody has used, or one user",
        tag="admin",
        access=Access.ADMIN,
        query=AllUsageQuery,
        answers={
            200: Answer(text="What was used", body=AllUsageBody),
            400: _MALFORMED,
            404: Answer(text="There is no such user", body=RefusalBody),
        },
    ),
    Route(
        method="GET",
        path="/admin/api/usage.csv",
        handler=show_all_usage_table,
        name="getAllUsageTable",
        text="Say what everybody has used, or one user, as CSV",
        tag="admin",
        access=Access.ADMIN,
        query=AllUsageQuery,
        answers={200: _TABLE, 400: _MALFORMED, 404: Answer(text="There is no such user", body=RefusalBody)},
    ),
)
