"""Runs of saved workflows by name: what one takes today, and a submit of it with values for what it takes.

What the workflow takes is read from its file and the fleet's nodes each time, so that it is never out of date; what a
job ran with is kept with the job.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any

import msgspec

from fireside.domain.accounts import User
from fireside.domain.ids import UserId
from fireside.domain.user_files import UserFile
from fireside.graphs.definitions import NodeDefinitions
from fireside.graphs.editor.convert import Opened, Surroundings
from fireside.graphs.editor.workflow import NOTHING
from fireside.graphs.interface.editor_places import EditorPlaces
from fireside.graphs.interface.faults import InvalidInputs, InvalidInterface
from fireside.graphs.interface.places import ApiPlaces, Places
from fireside.graphs.interface.saved import Declared, SavedWorkflow
from fireside.graphs.interface.signature import Signature, signature_of
from fireside.graphs.interface.values import check_given
from fireside.jobs.conversion import surroundings_of
from fireside.jobs.desk import Desk
from fireside.jobs.named_files import find_files, reference_to
from fireside.jobs.saved_workflows import SavedWorkflows, name_of
from fireside.jobs.submit import Submission
from fireside.store.records import NamedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWorkflow:
    """A saved workflow with what it takes: `signature` is held against the nodes that the fleet has."""

    name: str
    file: UserFile
    saved: SavedWorkflow
    declared: Declared
    places: Places
    signature: Signature

    @property
    def workflow_id(self) -> str:
        """What its jobs are listed by: the id that the editor gave it, which a renamed file keeps, else its name."""
        return self.saved.workflow_id or self.name


async def open_workflow(desk: Desk, workflows: SavedWorkflows, user_id: UserId, name: str) -> NamedWorkflow:
    """Open the user's workflow of this name.

    Raises `NotFound`, `InvalidGraph` for a file that is no workflow or that no worker has all nodes of, `TooLarge`, and
    `NoDefinitions`.
    """
    file = await workflows.find(user_id, name)
    saved = await workflows.read(file)
    return await open_with(desk, file, saved, saved.declared_with(file.interface))


async def open_with(desk: Desk, file: UserFile, saved: SavedWorkflow, declared: Declared) -> NamedWorkflow:
    """Open a workflow with this declaration; raises as `open_workflow`."""
    surroundings, definitions = await surroundings_of(desk), await desk.definitions.definitions()
    places, signature = await asyncio.to_thread(_read, saved, declared, surroundings, definitions)
    return NamedWorkflow(
        name=name_of(file),
        file=file,
        saved=saved,
        declared=declared,
        places=places,
        signature=await _settled(desk, file.user_id, signature),
    )


async def named_submission(
    desk: Desk, workflows: SavedWorkflows, wanted: Submission, name: str, given: Mapping[str, Any]
) -> Submission:
    """Make the submit of a saved workflow with these values.

    Raises as `open_workflow`, and `InvalidInputs` or `InvalidInterface` with everything that is wrong.
    """
    user: User = wanted.user
    opened = await open_workflow(desk, workflows, user.id, name)
    signature = opened.signature
    checked = check_given(signature, given, SystemRandom().randint)
    named = [(signature.inputs[one], value) for one, value in checked.values.items()]
    files, faults = await find_files(desk.store, user.id, [pair for pair in named if pair[0].is_file])
    references = {one: reference_to(asset) for one, asset in files.items()}
    faults = [*checked.faults, *faults]
    if signature.faults:
        raise InvalidInterface([*signature.faults, *faults])
    if faults:
        raise InvalidInputs(faults)
    checked.values |= references
    graph = await asyncio.to_thread(opened.places.graph, checked.by_place(signature))
    outputs = {one.name: one.node for one in signature.outputs.values()}
    shown = {"extra_pnginfo": {"workflow": opened.saved.content}} if opened.saved.format == "save" else {}
    return replace(
        wanted,
        graph=graph,
        extra_data={**shown, **wanted.extra_data},
        workflow_id=opened.workflow_id,
        named_run=NamedRun(
            workflow=opened.name,
            inputs=msgspec.json.encode(checked.values),
            outputs=msgspec.json.encode(outputs),
        ),
    )


def _read(
    saved: SavedWorkflow, declared: Declared, surroundings: Surroundings, definitions: NodeDefinitions
) -> tuple[Places, Signature]:
    places: Places
    if saved.format == "save":
        places = EditorPlaces(Opened(saved.content, surroundings), definitions)
    else:
        places = ApiPlaces(saved.content, definitions, surroundings.limits)
    return places, signature_of(declared, places)


async def _settled(desk: Desk, user_id: UserId, signature: Signature) -> Signature:
    """Take away defaults that are files which are not there: these inputs must be given."""
    files = [(one, one.default) for one in signature.inputs.values() if one.is_file and one.default is not NOTHING]
    _, faults = await find_files(desk.store, user_id, files)
    missing = {fault.input for fault in faults}
    inputs = {name: replace(one, default=NOTHING) if name in missing else one for name, one in signature.inputs.items()}
    return replace(signature, inputs=inputs)
