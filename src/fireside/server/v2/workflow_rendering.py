"""Saved workflows in the words of the API v2. Does no I/O."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET

from fireside.domain.assets import Asset
from fireside.domain.jobs import Job
from fireside.domain.user_files import UserFile
from fireside.graphs.editor.workflow import NOTHING
from fireside.graphs.interface.saved import SavedWorkflow
from fireside.graphs.interface.signature import NamedInput
from fireside.jobs.named_runs import NamedWorkflow
from fireside.jobs.saved_workflows import name_of
from fireside.store.records import NamedRun
from fireside.wire.queues import JobExtrasBody
from fireside.wire.v2_jobs import JobFiresideBody
from fireside.wire.v2_workflows import (
    ListedWorkflowBody,
    NamedInputBody,
    NamedOutputBody,
    SavedWorkflowBody,
    WorkflowUrlsBody,
)

WORKFLOWS = "/api/v2/fireside/workflows"
_inputs_decoder = msgspec.json.Decoder(dict[str, Any])
_outputs_decoder = msgspec.json.Decoder(dict[str, str])


def path_of(name: str) -> str:
    """Give the address of a workflow; its name is one segment."""
    return f"{WORKFLOWS}/{quote(name, safe='')}"


def listed(file: UserFile, saved: SavedWorkflow | None, problem: str | None) -> ListedWorkflowBody:
    """Show a workflow in the list, with what is declared as it is written."""
    name = name_of(file)
    declared = saved.declared_with(file.interface) if saved is not None else None
    workflow_id = (saved.workflow_id or name) if saved is not None else None
    return ListedWorkflowBody(
        name=name,
        path=file.path.text,
        workflow_id=workflow_id,
        format=saved.format if saved is not None else None,
        source=declared.source if declared is not None else None,
        inputs=[one.name for one in declared.interface.inputs] if declared is not None else [],
        outputs=[one.name for one in declared.interface.outputs] if declared is not None else [],
        size_bytes=file.size_bytes,
        created_at=file.created_at,
        modified_at=file.modified_at,
        problem=problem,
        urls=_urls(name, workflow_id),
    )


def shown(opened: NamedWorkflow) -> SavedWorkflowBody:
    """Show a workflow with what it takes."""
    file, signature = opened.file, opened.signature
    return SavedWorkflowBody(
        name=opened.name,
        path=file.path.text,
        workflow_id=opened.workflow_id,
        format=opened.saved.format,
        source=opened.declared.source,
        description=signature.description,
        inputs=[_input(one) for one in signature.inputs.values()],
        outputs=[
            NamedOutputBody(name=one.name, node=one.node, title=one.title, description=one.description)
            for one in signature.outputs.values()
        ],
        faults=list(signature.faults),
        left_out=list(signature.left_out),
        size_bytes=file.size_bytes,
        created_at=file.created_at,
        modified_at=file.modified_at,
        urls=_urls(opened.name, opened.workflow_id),
    )


def fireside_of(
    job: Job, extras: JobExtrasBody | None, run: NamedRun | None, assets: Sequence[Asset]
) -> JobFiresideBody | None:
    """Say what only Fireside knows of a job, None where that is nothing; `assets` are those that it has made."""
    waiting, reused_from = (extras.waiting, extras.reused_from) if extras is not None else (None, None)
    if run is None:
        if job.workflow_id is None and waiting is None and reused_from is None:
            return None
        return JobFiresideBody(
            waiting=waiting,
            reused_from=reused_from,
            workflow_id=job.workflow_id,
            workflow=None,
            inputs=None,
            outputs=None,
        )
    made: dict[str, list[Any]] = {}
    for asset in assets:
        if asset.origin is not None:
            made.setdefault(asset.origin.node_id, []).append(asset.id)
    return JobFiresideBody(
        waiting=waiting,
        reused_from=reused_from,
        workflow_id=job.workflow_id,
        workflow=run.workflow,
        inputs=_inputs_decoder.decode(run.inputs),
        outputs={name: made.get(node_id, []) for name, node_id in _outputs_decoder.decode(run.outputs).items()},
    )


def _input(named: NamedInput) -> NamedInputBody:
    node_id, name = named.key
    return NamedInputBody(
        name=named.name,
        type=named.type,
        node=node_id,
        input=name,
        required=named.is_required,
        title=named.title,
        description=named.description,
        default=UNSET if named.default is NOTHING else named.default,
        random=named.is_random,
        minimum=named.minimum,
        maximum=named.maximum,
        choices=list(named.choices) if named.choices is not None else None,
    )


def _urls(name: str, workflow_id: str | None) -> WorkflowUrlsBody:
    path = path_of(name)
    runs = f"/api/v2/jobs?{urlencode({'workflow_id': workflow_id})}" if workflow_id is not None else None
    return WorkflowUrlsBody(
        self=path, jobs=f"{path}/jobs", openapi=f"{path}/openapi.json", interface=f"{path}/interface", runs=runs
    )
