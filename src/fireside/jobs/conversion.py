"""What a conversion of the editor's workflows depends on here: the fleet's nodes, the limits, time and chance."""

from random import SystemRandom

from fireside.graphs.editor.convert import Surroundings
from fireside.graphs.limits import GraphLimits
from fireside.jobs.desk import Desk


def limits_of(desk: Desk) -> GraphLimits:
    """Say how large a workflow may be."""
    return GraphLimits(max_nodes=desk.config.max_graph_nodes, max_depth=desk.config.max_graph_depth)


async def surroundings_of(desk: Desk) -> Surroundings:
    """Put together what a conversion depends on; `NoDefinitions` when no worker of any kind was ever here."""
    return Surroundings(
        object_info=await desk.definitions.object_info(),
        limits=limits_of(desk),
        # Names of files are filled in with the time of day where the server is.
        now=desk.clock().astimezone(),
        choose=SystemRandom().choice,
    )
