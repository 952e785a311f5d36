"""All routes of this server, dialect by dialect."""

from fireside.server import (
    admin,
    admin_fleet,
    admin_maintenance,
    admin_models,
    admin_people,
    admin_queues,
    admin_system,
    audit,
    enrolling,
    fleet_routes,
    fleet_uploads,
    health,
    metrics,
    pools,
    usage,
    webhooks,
)
from fireside.server.local import bare_paths, free, internal
from fireside.server.local import history as local_history
from fireside.server.local import queue as local_queue
from fireside.server.local import userdata as local_userdata
from fireside.server.local import view as local_view
from fireside.server.pages import account, everybodys_jobs, fleet, openid, page_files, people, sign_in
from fireside.server.pages import editor as editor_page
from fireside.server.pages import job as job_page
from fireside.server.pages import jobs as jobs_page
from fireside.server.pages import models as models_page
from fireside.server.pages import system as system_page
from fireside.server.pages import usage as usage_page
from fireside.server.routes import Route, SocketRoute
from fireside.server.v1 import (
    assets,
    assets_tags,
    assets_uploads,
    editor,
    editor_files,
    files,
    history,
    jobs,
    model_details,
    models,
    prompt,
    queue,
    queue_control,
    remote_metadata,
    settings,
    snapshot,
    socket,
    subgraphs,
    system,
    tasks,
    userdata,
    workflows,
)
from fireside.server.v2 import asset_uploads as v2_asset_uploads
from fireside.server.v2 import assets as v2_assets
from fireside.server.v2 import events as v2_events
from fireside.server.v2 import jobs as v2_jobs
from fireside.server.v2 import listing as v2_listing
from fireside.server.v2 import workflows as v2_workflows

_ROWS: tuple[Route, ...] = (
    # The router looks from the top, so what is asked for most comes first.
    *jobs.ROUTES,
    *prompt.ROUTES,
    *fleet_routes.ROUTES,
    *fleet_uploads.ROUTES,
    *v2_jobs.ROUTES,
    *v2_listing.ROUTES,
    *v2_events.ROUTES,
    *v2_asset_uploads.ROUTES,
    *v2_assets.ROUTES,
    *v2_workflows.ROUTES,
    *files.ROUTES,
    *assets.LISTS,
    *assets_uploads.ROUTES,
    *remote_metadata.ROUTES,
    *tasks.ROUTES,
    *assets_tags.ROUTES,
    *assets.ONES,
    *queue.ROUTES,
    *queue_control.ROUTES,
    *history.ROUTES,
    *snapshot.ROUTES,
    *webhooks.ROUTES,
    *usage.ROUTES,
    *system.ROUTES,
    *model_details.ROUTES,
    *models.ROUTES,
    *workflows.ROUTES,
    *subgraphs.ROUTES,
    *local_history.ROUTES,
    *local_queue.ROUTES,
    *local_view.ROUTES,
    *free.ROUTES,
    *userdata.ROUTES,
    *settings.ROUTES,
    *editor.ROUTES,
    *editor_files.ROUTES,
    *local_userdata.ROUTES,
    *internal.ROUTES,
    *editor_page.ROUTES,
    *sign_in.ROUTES,
    *openid.ROUTES,
    *account.ROUTES,
    *jobs_page.ROUTES,
    *everybodys_jobs.ROUTES,
    *job_page.ROUTES,
    *fleet.ROUTES,
    *models_page.ROUTES,
    *usage_page.ROUTES,
    *system_page.ROUTES,
    *people.ROUTES,
    *page_files.ROUTES,
    *admin.ROUTES,
    *admin_people.ROUTES,
    *admin_queues.ROUTES,
    *admin_system.ROUTES,
    *admin_fleet.ROUTES,
    *audit.ROUTES,
    *admin_maintenance.ROUTES,
    *admin_models.ROUTES,
    *enrolling.ROUTES,
    *health.ROUTES,
    *metrics.ROUTES,
    *pools.ROUTES,
)
ROUTES: tuple[Route, ...] = bare_paths.at_both_paths(_ROWS)
SOCKETS: tuple[SocketRoute, ...] = (*socket.SOCKETS, *enrolling.SOCKETS)
FLEET_ROUTES: tuple[Route, ...] = (*fleet_routes.ROUTES, *fleet_uploads.ROUTES, files.DOWNLOAD)
"""All that workers ask for: their own routes, and the bytes of inputs by signed address."""
