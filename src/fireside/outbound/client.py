"""Going out: one request at a time to a URL somebody gave us, within limits of size and time.

Nothing is shared between requests, neither connections nor cookies, and no credential is ever sent. An answer is read
while it comes, in constant memory. What becomes of the bytes is the caller's business.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpcore
import httpx

from fireside import __version__
from fireside.domain.errors import TooLarge
from fireside.outbound.connecting import GuardedNetwork, Resolve, resolve_by_system
from fireside.outbound.errors import FetchFailed, SourceMissing, SourceRefuses
from fireside.outbound.hosts import AllowedHosts
from fireside.outbound.targets import Target, check_url, join_url

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_USER_AGENT = f"Fireside/{__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long is waited: for a connection, for the next bytes, and for everything together."""

    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=30)
    total: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a `post`: its status and headers, and the beginning of its body for the log."""

    status: int
    head: bytes
    headers: httpx.Headers


class Fetched:
    """A source that has answered with its bytes, not read yet. `url` is where they came from in the end."""

    def __init__(self, url: str, response: httpcore.Response, limit_bytes: int, deadline: float) -> None:
        self.url = url
        self.headers = httpx.Headers(response.headers)
        self._response = response
        self.limit_bytes = limit_bytes
        self.start = 0
        """Where its bytes begin: not at the first one only if another one was asked for."""
        self._deadline = deadline

    @property
    def content_length(self) -> int | None:
        """How many bytes the source says there are; the stream is held to it."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdecimal() else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the bytes as they come; raises `TooLarge` at the first beyond the limit, and `FetchFailed`."""
        came = self.start
        async for chunk in _stream(self._response, self.url, self._deadline):
            came += len(chunk)
            if came > self.limit_bytes:
                raise _too_large(self.limit_bytes)
            yield chunk


class Outbound:
    """The way out for one purpose, to the hosts that the operator allows for it."""

    def __init__(self, allowed: AllowedHosts, *, resolve: Resolve = resolve_by_system) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None

    def check(self, url: str) -> Target:
        """Refuse what would not be tried at all: a URL that cannot be read, or whose host is not on the list."""
        return check_url(url, self._allowed)

    @contextlib.asynccontextmanager
    async def get(self, url: str, *, limit_bytes: int, patience: Patience, start: int = 0) -> AsyncGenerator[Fetched]:
        """Ask for the URL, follow redirects, and give what answers with its bytes, from `start` on if it can do that.

        Each redirect is checked as the first URL. Raises `SourceRefuses`, `SourceMissing`, `TooLarge` or `FetchFailed`,
        and what `check` does.
        """
        deadline = asyncio.get_running_loop().time() + patience.total.total_seconds()
        target = self.check(url)
        headers = {"Accept": "*/*", **({"Range": f"bytes={start}-"} if start else {})}
        for _ in range(MAX_REDIRECTS + 1):
            async with self._asked("GET", target, headers, None, patience, deadline) as response:
                if response.status not in _REDIRECTS:
                    yield _checked(Fetched(str(target), response, limit_bytes, deadline), response.status, start)
                    return
                location = httpx.Headers(response.headers).get("location", "")
            target = join_url(target, location, self._allowed)
        raise FetchFailed(f"The source redirects more than {MAX_REDIRECTS} times.")

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, patience: Patience, head_bytes: int = 1024
    ) -> Reply:
        """Send the body and give the status of the answer; no redirect is followed. Raises as `get`, by no status."""
        deadline = asyncio.get_running_loop().time() + patience.total.total_seconds()
        target = self.check(url)
        head = bytearray()
        async with self._asked("POST", target, headers, body, patience, deadline) as response:
            async for chunk in _stream(response, str(target), deadline):
                head += chunk
                if len(head) >= head_bytes:
                    break
            return Reply(status=response.status, head=bytes(head[:head_bytes]), headers=httpx.Headers(response.headers))

    @contextlib.asynccontextmanager
    async def _asked(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        patience: Patience,
        deadline: float,
    ) -> AsyncGenerator[httpcore.Response]:
        """Send one request and give its answer's head; the connection ends with the block."""
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        # Bytes are kept as they are, so no encoding is asked for that would have to be undone.
        ours = {"Host": target.authority, "User-Agent": _USER_AGENT, "Accept-Encoding": "identity"}
        pool = httpcore.AsyncConnectionPool(
            ssl_context=await self._tls_context(),
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=GuardedNetwork(self._allowed, self._resolve),
        )
        timeouts = {"connect": patience.connect.total_seconds(), "read": patience.read.total_seconds()}
        timeouts["write"] = timeouts["read"]
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(pool)
            with _as_refusals(str(target)):
                async with asyncio.timeout_at(deadline):
                    response = await stack.enter_async_context(
                        pool.stream(
                            method,
                            url,
                            headers=list((ours | dict(headers)).items()),
                            content=body,
                            extensions={"timeout": timeouts},
                        )
                    )
            yield response

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Reading the certificates of all authorities takes tens of milliseconds.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        return self._tls


def _checked(fetched: Fetched, status: int, start: int) -> Fetched:
    """Refuse an answer that has not the bytes, or too many of them; `start` was asked for."""
    host = httpx.URL(fetched.url).host
    if status in {401, 403, 407}:
        raise SourceRefuses(f"{host} refuses to give this ({status}); only what it gives to everybody can be fetched.")
    if status in {404, 410}:
        raise SourceMissing(f"{host} has nothing at this URL ({status}).")
    if status == 206 and start and _begins_at(fetched, start):
        fetched.start = start
    elif status != 200:
        raise FetchFailed(f"{host} answered with status {status}.")
    if fetched.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchFailed(f"{host} sends the bytes in an encoding that was not asked for.")
    if fetched.content_length is not None and fetched.start + fetched.content_length > fetched.limit_bytes:
        raise _too_large(fetched.limit_bytes)
    return fetched


def _begins_at(fetched: Fetched, start: int) -> bool:
    return fetched.headers.get("content-range", "").strip().lower().startswith(f"bytes {start}-")


async def _stream(response: httpcore.Response, url: str, deadline: float) -> AsyncIterator[bytes]:
    stream = aiter(response.aiter_stream())
    while True:
        with _as_refusals(url):
            async with asyncio.timeout_at(deadline):
                chunk = await anext(stream, None)
        if chunk is None:
            return
        yield chunk


@contextlib.contextmanager
def _as_refusals(url: str) -> Generator[None]:
    host = httpx.URL(url).host
    try:
        yield
    except (TimeoutError, httpcore.TimeoutException) as error:
        raise FetchFailed(f"{host} did not answer, or not all of it, in time.") from error
    except httpcore.ConnectError as error:
        # The connection itself has messages of its own, so this is the encryption on it.
        raise FetchFailed(f"No encrypted connection to {host}: {error}") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise FetchFailed(f"{host} broke off its answer, or did not speak HTTP: {error}") from error


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"The source has more bytes than the {limit_bytes} that are taken.")
