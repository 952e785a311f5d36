"""How fast, and in how much memory, a large file goes through a form into blobs and out again.

    python -m bench.blobs [--mebibytes N] [--folder DIR]

The server is a child process: uvicorn, `read_form`, `LocalBlobs` and `serve_blob`. Next to it stands a plain copy of a
file in chunks of the same size, with one fsync, in the same folder and the same run. Ends with 1 when the server grew
by 64 MB or more.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fireside.blobs.base import CHUNK_BYTES
from fireside.blobs.local import LocalBlobs
from fireside.domain.ids import BlobHash
from fireside.server.content import serve_blob
from fireside.server.multipart import FormLimits, read_form

MAX_GROWTH_BYTES = 64 * 1024 * 1024
_BOUNDARY = "bench-boundary"
_HEAD = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.bin"\r\n\r\n'.encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a way cost; `grown_bytes` is the peak above the memory of the idle server."""

    way: str
    seconds: float
    cpu_seconds: float
    grown_bytes: int


def memory_bytes(name: str) -> int:
    """Read a figure of this process; getrusage would give a child the peak of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def build_app(folder: Path) -> Starlette:
    """Build the smallest app that takes a form and gives its file back."""
    blobs = LocalBlobs(folder)

    async def take(request: Request) -> Response:
        form = await read_form(request, blobs, limits=FormLimits())
        return JSONResponse({"hash": form.files["image"][0].blob.hash})

    async def give(request: Request) -> Response:
        blob_hash = BlobHash(request.path_params["hash"])
        found = await blobs.stat(blob_hash)
        size_bytes = found.size_bytes if found else 0
        return serve_blob(request, blobs, blob_hash, filename="a.bin", content_type="video/mp4", size_bytes=size_bytes)

    async def usage(_request: Request) -> Response:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return JSONResponse(
            {"cpu": used.ru_utime + used.ru_stime, "now": memory_bytes("VmRSS"), "peak": memory_bytes("VmHWM")}
        )

    return Starlette(
        routes=[Route("/", take, methods=["POST"]), Route("/usage", usage), Route("/{hash}", give, methods=["GET"])]
    )


def serve(folder: Path, listening: socket.socket, ready: Connection) -> None:
    """Serve in a child until it is ended."""

    async def run() -> None:
        server = uvicorn.Server(uvicorn.Config(build_app(folder), log_level="warning", lifespan="off"))
        ready.send("ready")
        await server.serve(sockets=[listening])

    asyncio.run(run())


async def form_of(source: Path) -> AsyncIterator[bytes]:
    """Give a form with one file, as it goes over the wire."""
    yield _HEAD
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
    yield _TAIL


async def measure(url: str, source: Path) -> list[Spent]:
    """Send the file, fetch it again and compare what the server used before and after."""
    size_bytes = source.stat().st_size
    async with httpx.AsyncClient(base_url=url, timeout=None) as client:
        before = (await client.get("/usage")).json()
        started = time.perf_counter()
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        answer = await client.post("/", content=form_of(source), headers={"content-type": kind})
        answer.raise_for_status()
        uploaded = (await client.get("/usage")).json()
        between = time.perf_counter()
        received = 0
        async with client.stream("GET", f"/{answer.json()['hash']}") as stream:
            async for chunk in stream.aiter_raw():
                received += len(chunk)
        downloaded = (await client.get("/usage")).json()
        ended = time.perf_counter()
    assert received == size_bytes, "the file came back with another length"
    return [
        Spent(
            way="upload",
            seconds=between - started,
            cpu_seconds=uploaded["cpu"] - before["cpu"],
            grown_bytes=uploaded["peak"] - before["now"],
        ),
        Spent(
            way="download",
            seconds=ended - between,
            cpu_seconds=downloaded["cpu"] - uploaded["cpu"],
            grown_bytes=downloaded["peak"] - before["now"],
        ),
    ]


def plain_copy(source: Path, target: Path) -> Spent:
    """Copy with the same chunks and one fsync, as the measure of what this disk can do."""
    started, cpu = time.perf_counter(), time.process_time()
    with source.open("rb", buffering=0) as reading, target.open("wb", buffering=0) as writing:
        while chunk := reading.read(CHUNK_BYTES):
            writing.write(chunk)
        os.fsync(writing.fileno())
    spent = Spent(
        way="plain copy",
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu,
        grown_bytes=0,
    )
    target.unlink()
    return spent


def make_source(path: Path, mebibytes: int) -> None:
    """Write a file that no two blocks of are alike."""
    block = os.urandom(CHUNK_BYTES - 8)
    with path.open("wb") as file:
        for number in range(mebibytes):
            file.write(number.to_bytes(8, "big") + block)


def run(folder: Path, mebibytes: int) -> list[Spent]:
    """Do all three ways in a folder."""
    source = folder / "source"
    make_source(source, mebibytes)
    copied = plain_copy(source, folder / "copy")
    context = multiprocessing.get_context("spawn")
    heard, ready = context.Pipe(duplex=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child = context.Process(target=serve, args=(folder / "blobs", listening, ready))
        child.start()
        try:
            if not heard.poll(60):
                sys.exit("the server did not start")
            return [copied, *asyncio.run(measure(f"http://127.0.0.1:{listening.getsockname()[1]}", source))]
        finally:
            child.terminate()
            child.join()


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Measure blobs")
    parser.add_argument("--mebibytes", type=int, default=2048)
    parser.add_argument("--folder", type=Path, default=None, help="where to make the temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        ways = run(Path(folder), arguments.mebibytes)
    megabytes = arguments.mebibytes * 1024 * 1024 / 1e6
    print(f"{'':12}{'MB/s':>8}{'CPU s':>8}{'CPU s/GB':>10}{'grown MB':>10}")
    for way in ways:
        cost = way.cpu_seconds / megabytes * 1000
        speed, grown = megabytes / way.seconds, way.grown_bytes / 1e6
        print(f"{way.way:12}{speed:8.0f}{way.cpu_seconds:8.2f}{cost:10.2f}{grown:10.1f}")
    if max(way.grown_bytes for way in ways) >= MAX_GROWTH_BYTES:
        sys.exit("the server grew by more than it may")


if __name__ == "__main__":
    main()
