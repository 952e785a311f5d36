"""The page of one job: how it stands and went, what it made, and what can be done with it.

Admins see everybody's jobs here, and can stop them; what is another's does not exist for anybody else.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fireside.assets.finding import find_file
from fireside.domain.accounts import Principal, User
from fireside.domain.assets import Asset, Folder
from fireside.domain.audit import Deed
from fireside.domain.errors import Conflict, NotFound
from fireside.domain.jobs import HELD_STATES, Job, JobState
from fireside.domain.usage import bytes_in_words
from fireside.graphs.errors import InvalidGraph
from fireside.jobs.cancel import cancel_job
from fireside.jobs.rerun import rerun_job
from fireside.server.callers import note_author, services_of
from fireside.server.content import content_headers
from fireside.server.news import news_of
from fireside.server.pages.bundles import bundle_answer
from fireside.server.pages.job_cards import THUMBNAIL_PIXELS, object_of, text_of
from fireside.server.pages.job_errors import error_view_of, why_not
from fireside.server.pages.job_files import files_of, own_address, texts_of
from fireside.server.pages.job_times import WIDTH, bars_of, cached_of, node_bars_of
from fireside.server.pages.rendering import redirect
from fireside.server.pages.rows import page_rows
from fireside.server.pages.shell import changed, framed, shown
from fireside.server.pages.words import STATE_TONES, STATE_WORDS, ago, span
from fireside.server.services import Services
from fireside.server.signed_urls import steady_url
from fireside.server.v1.files_library import library_of
from fireside.server.v1.rendering import job_id_of
from fireside.server.v1.views_transforms import Preview, serve_transform
from fireside.server.v2.progress import classes_of, progress_of
from fireside.server.v2.rendering import has_outputs, labels_of
from fireside.server.waiting import extras_of

_MOST_JSON = 200_000
_MOST_FILES = 200
_RUNNING = frozenset({JobState.RUNNING, JobState.CANCELING})


async def show_job(request: Request, principal: Principal) -> Response:
    """Show a job."""
    services = services_of(request)
    job, owner = await _job_of(request, principal)
    is_own = owner.id == principal.user.id
    body = await services.store.job_body(job.id)
    if body is None:
        raise NotFound(f"there is no job {job.id}")
    assets = await _assets_of(services, job)
    timeline, attempts = await services.store.job_timeline(job.id), await services.store.job_attempts(job.id)
    extras, now = await extras_of(services, job), services.clock()
    graph = msgspec.json.format(body.graph, indent=2).decode(errors="replace")
    return framed(
        principal,
        "job.html",
        "/dashboard",
        job=job,
        owner=owner,
        is_own=is_own,
        is_active=not job.is_terminal,
        is_running=job.state in _RUNNING,
        is_held=job.state in HELD_STATES,
        word=STATE_WORDS[job.state],
        tone=STATE_TONES[job.state],
        created_ago=ago(job.created_at, now),
        took=span(job.run_time) if job.run_time else "",
        waiting=extras.waiting if extras else None,
        reused_from=extras.reused_from if extras else None,
        error=error_view_of(job),
        progress=await progress_of(services, job),
        files=files_of(assets[:_MOST_FILES], _addresses(services, is_own=is_own), with_thumbnails=is_own),
        files_left=max(0, len(assets) - _MOST_FILES),
        has_files=bool(assets),
        made=bytes_in_words(sum(asset.size_bytes for asset in assets)),
        texts=texts_of(await services.store.job_outputs(job.id)) if has_outputs(job) else [],
        attempt_bars=bars_of(job, attempts, now),
        node_bars=node_bars_of(job, timeline, await classes_of(services, job.id)),
        cached=cached_of(timeline),
        bar_width=WIDTH,
        labels=labels_of(job),
        graph=graph if len(graph) <= _MOST_JSON else "",
        has_editors=_editors_workflow(body.extra_data) is not None,
    )


async def cancel(request: Request, principal: Principal) -> Response:
    """Cancel a job, and show it."""
    job, owner = await _job_of(request, principal)
    services = services_of(request)
    if owner.id != principal.user.id:
        note_author(request)
        await services.store.note_deed(Deed(action="job.cancel", target_id=owner.id, details={"job": str(job.id)}))
    await cancel_job(services.desk, owner.id, job.id)
    return redirect(f"/dashboard/jobs/{job.id}")


async def rerun(request: Request, principal: Principal) -> Response:
    """Run one's job again, and show the new one."""
    services = services_of(request)
    try:
        submitted = await rerun_job(services.desk, principal.user, job_id_of(request.path_params["job_id"]))
    except InvalidGraph as error:
        raise why_not(error) from error
    answer = redirect(f"/dashboard/jobs/{submitted.job.id}")
    answer.background = news_of(services, submitted)
    return answer


async def delete(request: Request, principal: Principal) -> Response:
    """Remove one's job that has ended, with the files it made."""
    services, user = services_of(request), principal.user
    job = await services.desk.job_of(user.id, job_id_of(request.path_params["job_id"]))
    if not job.is_terminal:
        raise Conflict("This job has not ended. Cancel it first.")
    await services.store.delete_jobs(user.id, [job.id])
    return redirect("/dashboard")


async def show_files(request: Request, principal: Principal) -> Response:
    """Give all files that a job has made, as one archive."""
    services = services_of(request)
    job, _ = await _job_of(request, principal)
    assets = await _assets_of(services, job)
    if not assets:
        raise NotFound("This job has made no files.")
    return bundle_answer(request, services.blobs, assets, name=f"job-{str(job.id)[:8]}.zip")


async def show_picture(request: Request, principal: Principal) -> Response:
    """Give the picture by which a job is known in lists, small; also of another's job, to an admin."""
    services = services_of(request)
    job, owner = await _job_of(request, principal)
    preview = object_of(job.preview)
    file = {name: text_of(preview, name) for name in ("filename", "subfolder")}
    folder = text_of(preview, "type") or Folder.OUTPUT.value
    if not file["filename"] or folder not in {one.value for one in Folder}:
        raise NotFound("This job has no picture.")
    asset = await find_file(services.store, owner.id, **file, folder=Folder(folder))
    wish = Preview("jpeg", longest_edge=THUMBNAIL_PIXELS)
    return await serve_transform(request, library_of(request), asset, wish, cache="private, no-cache")


async def show_workflow(request: Request, principal: Principal) -> Response:
    """Give the graph of a job as a file, or with `?editor` the editor's workflow that came with it."""
    services = services_of(request)
    job, _ = await _job_of(request, principal)
    body = await services.store.job_body(job.id)
    wanted = None if body is None else body.graph
    if body is not None and "editor" in request.query_params:
        wanted = _editors_workflow(body.extra_data)
    if wanted is None:
        raise NotFound("This job has no such workflow.")
    headers = content_headers(f"workflow-{str(job.id)[:8]}.json", "application/json", "attachment")
    return Response(wanted, headers=headers | {"cache-control": "private, no-cache"})


async def _job_of(request: Request, principal: Principal) -> tuple[Job, User]:
    """Read the job that the path names and its owner; `NotFound` for one that the caller must not see."""
    store, job_id = services_of(request).store, job_id_of(request.path_params["job_id"])
    job = await store.job(job_id, user_id=None if principal.is_admin else principal.user.id)
    owner = principal.user if job is None or job.user_id == principal.user.id else await store.user(job.user_id)
    if job is None or owner is None:
        raise NotFound(f"There is no job {job_id}.")
    return job, owner


async def _assets_of(services: Services, job: Job) -> Sequence[Asset]:
    return await services.store.job_assets(job.id) if has_outputs(job) else ()


def _addresses(services: Services, *, is_own: bool) -> Callable[[Asset], str]:
    # Another user's files are had by signed addresses; as paths, so that they come from where the page does.
    return own_address if is_own else lambda asset: urlsplit(steady_url(services, asset).url).path


class _PngInfo(msgspec.Struct, frozen=True):
    workflow: msgspec.Raw = msgspec.Raw(b"")


class _ExtraData(msgspec.Struct, frozen=True):
    extra_pnginfo: _PngInfo | None = None


def _editors_workflow(extra_data: bytes) -> bytes | None:
    """Find the workflow as the editor drew it, which it sends along; anything may stand there."""
    try:
        info = msgspec.json.decode(extra_data, type=_ExtraData).extra_pnginfo
    except msgspec.MsgspecError:
        return None
    found = bytes(info.workflow) if info is not None else b""
    return found if found.startswith(b"{") else None


ROUTES = page_rows(
    (
        ("GET", "/dashboard/jobs/{job_id}", shown(show_job), "showJobPage", "The page of a job"),
        ("GET", "/dashboard/jobs/{job_id}/files.zip", shown(show_files), "showJobFiles", "All files of a job"),
        ("GET", "/dashboard/jobs/{job_id}/picture", shown(show_picture), "showJobPicture", "A job's picture, small"),
        ("GET", "/dashboard/jobs/{job_id}/workflow.json", shown(show_workflow), "showJobWorkflow", "A job's workflow"),
        ("POST", "/dashboard/jobs/{job_id}/cancel", changed(cancel), "cancelJobOfPage", "Cancel a job"),
        ("POST", "/dashboard/jobs/{job_id}/rerun", changed(rerun), "rerunJob", "Run a job again"),
        ("POST", "/dashboard/jobs/{job_id}/delete", changed(delete), "deleteJobOfPage", "Remove a job"),
    )
)
"""Anybody may call them; each looks for itself who it is."""
