"""What the server and a worker say to each other: requests and reports on the bus, and the work over HTTP.

Bus messages are small JSON (the bus carries at most 1 MiB); graphs, outputs and files go over HTTP. Every message about
a job carries the lease, and the subject it travels on names the worker, so neither can speak for another. How a worker
comes in is in `fleet_joining`, how it brings bytes in `fleet_uploads`.
"""

from typing import Any, Literal
from uuid import UUID

import msgspec

from fireside.domain.ids import JobId
from fireside.domain.jobs import Lease

PROTOCOL = 1
"""Of this server and this worker: raised when either could not work with what the other was before."""
OLDEST_PROTOCOL = 1
"""The oldest that is still understood."""
MOST_FINISHING = 3
"""How many computed jobs a worker may still be reporting when it takes another."""
MOST_AHEAD = 1
"""How many jobs a worker may hold ready while it computes another."""
LONGEST_BUS_PAUSE_SECONDS = 5.0
"""How long a worker that lost the bus waits at most between two tries to reach it."""
MOST_MODEL_BYTES = 600_000
"""Of what is told of a model file in one message; the bus carries a little more, and bytes grow by a third in JSON."""
MODEL_MARK = 16
"""As many digits of a hash tell a model from all others of a fleet."""
ModelPart = Literal["metadata", "preview"]


class LeaseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A lease as it travels."""

    job_id: UUID
    attempt: int
    fence: int

    @classmethod
    def of(cls, lease: Lease) -> "LeaseBody":
        """Wrap the domain's lease."""
        return cls(job_id=lease.job_id, attempt=lease.attempt, fence=lease.fence)

    def lease(self) -> Lease:
        """Unwrap to the domain's lease."""
        return Lease(job_id=JobId(self.job_id), attempt=self.attempt, fence=self.fence)


# Server to worker, on work.<worker>


class Assignment(msgspec.Struct, frozen=True, kw_only=True, tag="assign"):
    """Here is a job for you; fetch its work over HTTP unless it comes along. Answered by `AssignmentReply`.

    `boot_id` names the process that is meant, where it is not empty; every other one keeps silent. `together` says that
    this server takes several frames of a run in one message, and several reports.
    """

    lease: LeaseBody
    user_id: int
    work: "WorkBody | None" = None
    boot_id: str = ""
    together: bool = False


class CancelRun(msgspec.Struct, frozen=True, kw_only=True, tag="cancel"):
    """Stop the job you run under this lease; its end is still yours to report. Answered by an empty message."""

    lease: LeaseBody


class SnapshotRequest(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """Say the latest progress of this job again, on its live subject. Answered by an empty message."""

    lease: LeaseBody


class ValidateNodes(msgspec.Struct, frozen=True, kw_only=True, tag="validate"):
    """Ask the own validators of these nodes of a graph, which is JSON, deflated. Answered by `ValidateReply`."""

    graph: bytes
    node_ids: tuple[str, ...]


class DescribeModel(msgspec.Struct, frozen=True, kw_only=True, tag="describe_model"):
    """Look at a model file of yours: the metadata in it, or the picture beside it. Answered by `ModelReply`."""

    folder: str
    name: str
    part: ModelPart


class IdentifyModels(msgspec.Struct, frozen=True, kw_only=True, tag="identify_models"):
    """Say which bytes your model files of these names are now. Answered by `IdentifyReply`."""

    names: tuple[str, ...]


class AreYouThere(msgspec.Struct, frozen=True, kw_only=True, tag="are_you_there"):
    """Answer, if you are the process of this start; every other one keeps silent. Answered by an empty message."""

    boot_id: str


class Dismissal(msgspec.Struct, frozen=True, kw_only=True, tag="dismissal"):
    """You, the process of this start, do not speak for this worker (any more): stop, and say why. Not answered."""

    boot_id: str
    reason: str


WorkRequest = (
    Assignment | CancelRun | SnapshotRequest | ValidateNodes | DescribeModel | IdentifyModels | AreYouThere | Dismissal
)


class RefusedInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a node's validator said against its inputs, in ComfyUI's words."""

    type: str
    message: str
    details: str
    input_name: str | None = None


class ValidateReply(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that were refused; none where the validators could not be asked."""

    refused: dict[str, tuple[RefusedInput, ...]] = {}


class ModelReply(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata as JSON, deflated, or the picture as a small WebP; nothing where there is none."""

    content: bytes | None = None


class IdentifyReply(msgspec.Struct, frozen=True, kw_only=True):
    """BLAKE3 hashes by folder and name; null where the worker does not know, or not yet."""

    models: dict[str, str] | None = None


class AssignmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the worker took the job; one that is busy or draining gives it back at once.

    `number` is that of the last presence the worker sent before: those up to it know nothing of this answer.
    """

    accepted: bool
    reason: str = ""
    number: int = 0


# Worker to server, on presence.<worker>


class Fetching(msgspec.Struct, frozen=True, kw_only=True):
    """A model on its way to the worker, for the job of this lease.

    `bytes_per_second` is how fast it came lately; None where nothing has come yet.
    """

    lease: LeaseBody
    folder: str
    name: str
    done_bytes: int
    size_bytes: int
    bytes_per_second: float | None = None


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """I am here: sent every second and at each change. `leases` are all the jobs it holds, the one made ready last.

    `finishing` are those among them that have been computed and are still being reported; with no other than one of
    these the worker takes another job. While it computes one it takes `ahead` more, makes them ready and begins them in
    turn; an older worker takes none. `number` rises from one presence of a boot to the next. `reason` says why it
    drains; `devices` have their free memory of a moment ago, where that is cheap to tell. `warm` are the model files
    that its runtime holds, such as those of the graph that it ran last; None where it does not know. `up_seconds` is
    how long its process has been there. `fetched` are models of the registry that it has fetched, by the first
    `MODEL_MARK` digits of their hashes; of many, some. `fetching` are those that are on their way, at most one for each
    job.
    """

    boot_id: str
    runtime: str
    ready: bool
    draining: bool = False
    reason: str = ""
    leases: tuple[LeaseBody, ...] = ()
    finishing: tuple[LeaseBody, ...] = ()
    ahead: int = 0
    number: int = 0
    devices: tuple[dict[str, Any], ...] = ()
    warm: tuple[str, ...] | None = None
    up_seconds: float = 0.0
    fetched: tuple[str, ...] = ()
    fetching: tuple[Fetching, ...] = ()


# Server to server, on dispatch.wake


class QueueChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A user's queue is another: jobs, their order, or a pause; `by` names the process that changed it.

    User 0 is everybody.
    """

    user_id: int
    by: str = ""


# Server to server, on fleet.figures


class PoolFigure(msgspec.Struct, frozen=True, kw_only=True):
    """How many workers a pool should have: `wanted` by what there is to do, `desired` within its limits."""

    pool: str
    wanted: int
    desired: int


class PoolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The leader's figures of all pools."""

    pools: tuple[PoolFigure, ...]


# Worker to server, on reports.<worker>; answered by ReportReply


class StartReport(msgspec.Struct, frozen=True, kw_only=True, tag="started"):
    """The job's inputs are here and its graph is about to run."""

    lease: LeaseBody


class NodeFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What broke a run; `node_id` is empty when it was not a node. Texts are cut to fit the bus."""

    node_id: str
    node_type: str
    exception_type: str
    exception_message: str
    traceback: tuple[str, ...] = ()
    current_inputs: dict[str, Any] = {}


class EndReport(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """The run is over, and its outputs are recorded or here. `released` gives it back unfinished; `failure` says why.

    `broken` gives it back because the runtime did not survive it; that counts like a lost worker. `models` are the
    BLAKE3 hashes of the model files that the graph names, by folder and name, if the worker vouches for what it runs.
    `outputs` are those that were not recorded before because the end came right behind them. `began` says of nodes when
    they began, in seconds from the start of the run; of very many of the first ones only. `computed` is when the
    runtime had finished, and `uploads` says of nodes when their outputs began to be sent, how long it took, and how
    many bytes they had.
    """

    lease: LeaseBody
    outcome: Literal["succeeded", "failed", "interrupted", "released", "broken"]
    run_seconds: float
    cached: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()
    failure: NodeFailure | None = None
    interrupted_at: str | None = None
    interrupted_type: str | None = None
    models: dict[str, str] | None = None
    outputs: "tuple[OutputBody, ...]" = ()
    began: tuple[tuple[str, float], ...] = ()
    computed: float | None = None
    uploads: tuple[tuple[str, float, float, int], ...] = ()


class OutputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that stands at `output[key][index]`: its bytes are uploaded already, or come along when it is small."""

    key: str
    index: int
    hash: str
    size_bytes: int
    content: bytes | None = None


class OutputBody(msgspec.Struct, frozen=True, kw_only=True, tag="shown"):
    """What a node has shown. A small one is a report; a larger one is the body of `POST /fleet/jobs/{id}/outputs`."""

    lease: LeaseBody
    node_id: str
    display_node_id: str
    output: dict[str, Any]
    files: tuple[OutputFile, ...] = ()


Report = StartReport | OutputBody | EndReport


class ReportReply(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`: recorded, also when it was before. `stale`: drop the work. `retry`: could not be recorded now.

    `refused`: will never be recorded as it is; `reason` says why.
    """

    status: Literal["ok", "stale", "retry", "refused"]
    canceling: bool = False
    reason: str = ""


# Over HTTP


class LeaseQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Query of `GET /fleet/jobs/{id}`: the lease, whose job is in the path."""

    attempt: int
    fence: int


class InputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file to stage: the value the graph writes, its bytes' hash, and where to get them."""

    value: str
    hash: str
    size_bytes: int
    url: str


class NeededModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the registry that the graph names, for a worker that has no file of this name by itself.

    `url` is a path of the server where it has the bytes, and otherwise an address of somebody else's. `node_id` and
    `node_type` say who reads it, for the message when it cannot be had.
    """

    folder: str
    name: str
    hash: str
    size_bytes: int
    url: str
    node_id: str = ""
    node_type: str = ""


class ModelHosts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a worker may go for models: the settings `model_hosts` and `outbound_private_hosts` of its server."""

    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()


class RegistryHashes(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /fleet/models`: the hashes of all models of the registry; others need not be kept any longer."""

    hashes: tuple[str, ...] = ()


class TimeLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How long a run may take, and whose limit that is, for the message to its owner."""

    seconds: float
    origin: str


class WorkBody(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of `GET /fleet/jobs/{id}`: all a worker needs to run the job it holds."""

    graph: msgspec.Raw
    extra_data: msgspec.Raw
    outputs: tuple[str, ...]
    inputs: tuple[InputFile, ...]
    secrets: dict[str, str] = {}
    time_limit: TimeLimit | None = None
    models: tuple[NeededModel, ...] = ()
    model_hosts: ModelHosts = ModelHosts()
