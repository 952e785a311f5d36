"""What the handlers of all dialects work with, put together by `app` and found at `app.state.services`."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fireside.accounts.accounts import Accounts
from fireside.accounts.enrollments import Enrollments
from fireside.accounts.openid import OpenId
from fireside.accounts.server_keys import ServerKeys
from fireside.accounts.sign_ins import SignIns
from fireside.accounts.webhook_secrets import WebhookSecrets
from fireside.accounts.wrong_tokens import WrongTokens
from fireside.assets.accesses import Accesses
from fireside.assets.importing import ImportTurns
from fireside.blobs.base import Blobs, BlobsFound
from fireside.blobs.signing import UrlSigner
from fireside.bus.authority import BusAuthority
from fireside.bus.client import Bus
from fireside.config import Config, Origin
from fireside.domain.ids import WorkerId
from fireside.domain.pools import Pool
from fireside.events.hub import Hub
from fireside.jobs.desk import Desk
from fireside.jobs.saved_workflows import SavedWorkflows
from fireside.outbound.client import Outbound
from fireside.scheduler.demand import Desired
from fireside.server.editor.editor import Editor
from fireside.server.launchers import Launchers
from fireside.server.maintenance import Maintenances
from fireside.server.meters import Meters
from fireside.server.passages import Passages
from fireside.server.rates import Rates
from fireside.store.store import Store
from fireside.wire.fleet import Presence


class FleetView(Protocol):
    """What the edge may know of the fleet."""

    def presences(self) -> Mapping[WorkerId, Presence]:
        """Give the last word of each worker that is there."""
        ...


class FiguresView(Protocol):
    """What the edge may know of how many workers there should be."""

    @property
    def pools(self) -> Sequence[Pool]:
        """Give the pools that the settings name."""
        ...

    def now(self) -> Mapping[str, Desired]:
        """Give the figures by pool; none for what the leader has not told of late."""
        ...


class Tracer(Protocol):
    """What the edge may know of traces."""

    async def check(self) -> str:
        """Try whether the collector is there; gives the trouble, and nothing when all is well."""
        ...


class ElectionView(Protocol):
    """What the edge may know of the election."""

    is_leading: bool


class LoopView(Protocol):
    """What the edge may know of a duty that is done again and again."""

    name: str
    every_seconds: float
    done_at: datetime | None
    trouble: str

    @property
    def is_running(self) -> bool:
        """Whether it is done here."""
        ...


class BlobWalkView(Protocol):
    """What the edge may know of the walks over all blobs."""

    found: BlobsFound | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything behind the edge; one for the life of a server."""

    config: Config
    origins: Mapping[str, Origin]
    """Where the settings came from that are not defaults."""
    store: Store
    blobs: Blobs
    bus: Bus
    desk: Desk
    hub: Hub
    signer: UrlSigner
    imports: Outbound
    models: Outbound
    """The way to the models of the registry; only workers go it."""
    import_turns: ImportTurns
    webhook_secrets: WebhookSecrets
    accounts: Accounts
    sign_ins: SignIns
    openid: OpenId | None
    """None where the settings name no provider."""
    accesses: Accesses
    keys: ServerKeys
    fleet: FleetView
    figures: FiguresView
    election: ElectionView
    loops: Collection[LoopView]
    """What is done again and again, here or where the leader is."""
    blob_walks: BlobWalkView
    workflows: SavedWorkflows
    editor: Editor
    enrollments: Enrollments
    join_guesses: WrongTokens
    authority: BusAuthority
    passages: Passages
    maintenances: Maintenances
    rates: Rates
    launchers: Launchers
    meters: Meters
    tracer: Tracer | None
    """None where traces go nowhere."""
    revoke_bus_key: Callable[[str], None]
    """Let nobody on the bus by this public key; does nothing where the bus is not ours."""
    forget_bus_key: Callable[[str], None]
    """Say no more that nobody comes in by this key, for nobody can any more."""
    stopping: asyncio.Event
    """Set when this server has been told to stop."""
    clock: Callable[[], datetime]
    public_url: str
    """The URL people reach this server by, without a slash at its end; never taken from a request's Host header."""
