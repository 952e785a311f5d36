"""Which of a user's jobs one websocket is told of.

The Cloud API tells every socket of all its user's jobs. ComfyUI tells a client of what it has submitted itself, by its
`clientId`, and so does a local port; what was submitted without one is for everybody. A picture that does not say whose
it is goes on any port to the client of its job alone, because a client that reads such pictures takes each for its own.
"""

from fireside.domain.ids import JobId
from fireside.events.heard import Heard
from fireside.store.store import Store
from fireside.wire.live import JobEnded, PreviewFrame

_MOST_REMEMBERED = 1000


class Audience:
    """What is meant for one socket; `by_client` says that it hears of no job that another client has submitted."""

    def __init__(self, store: Store, client_id: str, *, by_client: bool) -> None:
        self._store = store
        self._client_id = client_id
        self._by_client = by_client
        self._clients: dict[JobId, str | None] = {}

    async def may_hear(self, heard: Heard, *, with_metadata: bool) -> bool:
        """Tell whether this is for the socket; `with_metadata` says that its pictures name their job."""
        if heard.job_id is None:
            return True
        if not self._by_client and (with_metadata or not isinstance(heard.frame, PreviewFrame)):
            return True
        client = await self._client_of(heard.job_id)
        if isinstance(heard.fact, JobEnded):
            self._clients.pop(heard.job_id, None)
        return client in (None, self._client_id)

    async def _client_of(self, job_id: JobId) -> str | None:
        if job_id not in self._clients:
            if len(self._clients) >= _MOST_REMEMBERED:
                self._clients.clear()
            self._clients[job_id] = await self._store.client_of_job(job_id)
        return self._clients[job_id]
