"""One server as a client reaches it: by URL with an API key, by a socket file, or in this process.

Every failure comes out as a `ClientError`. The key goes to this server alone: a redirect to another host is followed
without it.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

import fireside
from fireside.client.errors import ClientError, NotReachable, error_of_answer

_TIMEOUT = httpx.Timeout(30.0, read=120.0)
_REDIRECTS = 5
_SOCKET_URL = "http://localhost"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is and how to get in. With `socket` the URL only names the host; `app` is an ASGI application."""

    url: str = _SOCKET_URL
    key: str | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    """Instead of the key: one, or a token that is no key."""
    socket: Path | None = None
    app: Any = None

    @property
    def headers(self) -> dict[str, str]:
        """What shows who we are."""
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer}"}
        return {"X-API-Key": self.key} if self.key else {}

    @property
    def socket_path(self) -> str | None:
        """The socket's path as short as can be: the system takes some hundred characters at most."""
        if self.socket is None:
            return None
        return min(str(self.socket), os.path.relpath(self.socket), key=len)

    def __str__(self) -> str:
        return str(self.socket) if self.socket else self.url


class Connection:
    """Sends requests to one server."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._http = httpx.AsyncClient(
            base_url=address.url.rstrip("/"),
            headers={"User-Agent": f"fireside/{fireside.__version__}", **address.headers},
            transport=_transport(address),
            timeout=_TIMEOUT,
            trust_env=address.socket is None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, method: str, path: str, **given: Any) -> bytes:
        """Send a request and give the body of its answer; raises `ClientError` for any refusal."""
        try:
            answer = await self._http.request(method, path, **given)
        except httpx.HTTPError as error:
            raise self._not_reachable(error) from error
        except httpx.InvalidURL as error:
            raise ClientError(f"{self.address.url} is not a URL: {error}") from error
        if not answer.is_success:
            raise error_of_answer(answer.status_code, answer.content)
        return answer.content

    async def ask(self, method: str, path: str, answer_type: type[_Answer], **given: Any) -> _Answer:
        """Send a request whose answer is JSON of this type."""
        body = await self.send(method, path, **given)
        try:
            return msgspec.json.decode(body, type=answer_type)
        except msgspec.MsgspecError as error:
            raise ClientError(f"{self.address} answers {path} in a way this client does not know: {error}") from error

    @asynccontextmanager
    async def download(self, path: str, parameters: Mapping[str, str]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Stream the bytes that a GET answers, wherever it redirects to."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as elsewhere:
                answer = await self._follow(path, parameters, elsewhere)
                try:
                    if not answer.is_success:
                        raise error_of_answer(answer.status_code, await answer.aread())
                    yield answer.aiter_bytes(1024 * 1024)
                finally:
                    await answer.aclose()
        except httpx.HTTPError as error:
            raise self._not_reachable(error) from error

    async def _follow(self, path: str, parameters: Mapping[str, str], elsewhere: httpx.AsyncClient) -> httpx.Response:
        client, request = self._http, self._http.build_request("GET", path, params=dict(parameters))
        for _ in range(_REDIRECTS):
            answer = await client.send(request, stream=True)
            if not answer.is_redirect or answer.next_request is None:
                return answer
            await answer.aclose()
            url = answer.next_request.url
            client = self._http if _is_same_origin(url, self._http.base_url) else elsewhere
            request = client.build_request("GET", url)
        raise ClientError(f"{self.address} redirects {path} in circles")

    def _not_reachable(self, error: httpx.HTTPError) -> ClientError:
        reason = str(error) or type(error).__name__
        return NotReachable(f"cannot reach {self.address}: {reason}. Is the server running, and is the address right?")


def _transport(address: Address) -> httpx.AsyncBaseTransport | None:
    if address.app is not None:
        return httpx.ASGITransport(app=address.app, raise_app_exceptions=False)
    if address.socket is not None:
        # Nobody speaks TLS there, and to read the certificates of the world takes longer than most commands.
        return httpx.AsyncHTTPTransport(uds=address.socket_path, verify=False)
    return None


def _is_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def json_body(body: msgspec.Struct) -> dict[str, Any]:
    """Give a body as the arguments of `ask`."""
    return {"content": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}
