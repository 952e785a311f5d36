"""A site on loopback that misbehaves on request, and names that lead to it without any name server."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fireside.outbound.addresses import Address
from fireside.outbound.client import Outbound
from fireside.outbound.hosts import AllowedHosts

MIB = 1024 * 1024


@dataclass
class Site:
    """What answers, and what it was asked."""

    port: int = 0
    requests: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        self.asked.set()
        word = request.match_info["word"]
        return await getattr(self, word)(request)

    async def file(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"abc" * 1000, content_type="image/png")

    async def status(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=int(request.query["is"]), text="what I think of it")

    async def redirect(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def circle(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/circle"})

    async def encoded(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"...", headers={"Content-Encoding": "gzip"})

    async def announced(self, request: web.Request) -> web.StreamResponse:
        """Name a length, and send the head only."""
        return await self._stream(request, [b"x"], {"Content-Length": request.query["bytes"]})

    async def unannounced(self, request: web.Request) -> web.StreamResponse:
        """Send a mebibyte after the other and never name a length."""
        return await self._stream(request, [b"x" * MIB] * int(request.query["mib"]), {})

    async def broken(self, request: web.Request) -> web.StreamResponse:
        """Go away in the middle."""
        response = await self._stream(request, [b"half"], {"Content-Length": "8"})
        assert request.transport is not None
        request.transport.close()
        return response

    async def drip(self, request: web.Request) -> web.StreamResponse:
        """Send a byte now and then, each well before anybody loses patience with the next one."""
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self.let_go.is_set():
                await response.write(b"x")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.let_go.wait(), 0.02)
        return response

    async def silent(self, request: web.Request) -> web.StreamResponse:
        await self.let_go.wait()
        return web.Response(body=b"late")

    async def silent_body(self, request: web.Request) -> web.StreamResponse:
        response = await self._stream(request, [b"x"], {})
        await self.let_go.wait()
        return response

    async def _stream(
        self, request: web.Request, chunks: Sequence[bytes], headers: Mapping[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                await response.write(chunk)
        return response


@contextlib.asynccontextmanager
async def running_site(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Site]:
    site = Site()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: site.server_names.append(name)
    app = web.Application()
    app.router.add_route("*", "/{word}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    site.port = listener.getsockname()[1]
    await web.SockSite(runner, listener, ssl_context=tls).start()
    try:
        yield site
    finally:
        site.let_go.set()
        await runner.cleanup()


@dataclass
class Names:
    """A name server of ours: each question takes the next of the answers, and the last one stays."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def give(self, name: str, *answers: list[str]) -> None:
        self.answers[name] = list(answers)

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        with contextlib.suppress(ValueError):
            return [ipaddress.ip_address(host)]
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        answers = self.answers[host]
        return [ipaddress.ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0])]


def way_out(names: Names, *, hosts: Sequence[str] = ("*:*",), private: Sequence[str] = ()) -> Outbound:
    return Outbound(AllowedHosts.parse("import_hosts", hosts, private), resolve=names.resolve)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for the name, signed by itself; gives its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file
