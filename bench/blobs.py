"""How fast, and in how much memory, a large file goes into the server and out again by its public routes.

    python -m bench.blobs [--mebibytes N] [--folder DIR] [--bucket] [--pace MB]

Up by `POST /api/upload/image`, down by the signed address that `GET /api/view` sends to, by the hash that this end has
computed. Beside them stand a plain copy with one fsync in the same folder, and the file through a bare socket. With
`--bucket` the server's files are in a bucket of a SeaweedFS on this machine; then a plain multipart PUT to that bucket
and a plain GET from it stand beside. `--pace` has the file sent once more, over no faster line than so many megabytes a
second: what that takes longer than the line is what the server adds. Ends with 1 when the server process grew by 64 MB
or more.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from bench.measuring import parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from blake3 import blake3
from obstore.store import S3Store
from tests.object_server import object_server

SHORT = ("--mebibytes=512",)
MAX_GROWTH_BYTES = 64 * 1000 * 1000
_CHUNK_BYTES = 1024 * 1024
_PLAIN = "plain"
_BOUNDARY = "bench-boundary"
_HEAD = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.bin"\r\n\r\n'.encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The file that travels."""

    path: Path
    size_bytes: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a way cost; processor time and growth are the server process's own."""

    way: str
    seconds: float
    cpu_seconds: float | None = None
    grown_bytes: int | None = None


def make_source(path: Path, mebibytes: int) -> Source:
    """Write a file that no two blocks of are alike."""
    block, hasher = os.urandom(_CHUNK_BYTES - 8), blake3()
    with path.open("wb") as file:
        for number in range(mebibytes):
            chunk = number.to_bytes(8, "big") + block
            hasher.update(chunk)
            file.write(chunk)
        os.fsync(file.fileno())
    return Source(path=path, size_bytes=mebibytes * _CHUNK_BYTES, hash=hasher.hexdigest())


def copy_plainly(source: Source, target: Path) -> None:
    """Copy with chunks of the same size and one fsync, as the measure of what this disk can do."""
    with target.open("wb", buffering=0) as writing:
        for chunk in _chunks(source):
            writing.write(chunk)
        os.fsync(writing.fileno())


def send_barely(source: Source) -> None:
    """Send the file through a socket of this machine with nothing around it."""

    def send(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            for chunk in _chunks(source):
                connection.sendall(chunk)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender = threading.Thread(target=send, args=(listening,))
        sender.start()
        with socket.create_connection(listening.getsockname()) as receiving:
            _check_size(source, _drain(receiving.recv_into))
        sender.join()


def upload(server: Server, source: Source, pace: float = 0) -> None:
    """Send the file as the form that people send, at so many megabytes a second."""
    connection = _connection(server)
    headers = {
        "X-API-Key": server.key,
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        "Content-Length": str(len(_HEAD) + source.size_bytes + len(_TAIL)),
    }
    connection.request("POST", "/api/upload/image", _form(source, pace), headers)
    _answer(connection, 200).read()
    connection.close()


def download(server: Server, source: Source) -> None:
    """Ask where the file of that hash is, and fetch it there without a key."""
    connection = _connection(server)
    connection.request("GET", f"/api/view?type=input&filename=blake3:{source.hash}", headers={"X-API-Key": server.key})
    sent_on = _answer(connection, 302)
    sent_on.read()
    location = urlsplit(sent_on.headers["location"])
    there = HTTPConnection(location.netloc)
    there.request("GET", f"{location.path}?{location.query}")
    _check_size(source, _drain(_answer(there, 200).readinto))
    there.close()
    connection.close()


def put_plainly(source: Source, store: S3Store) -> None:
    """Put the file into the bucket past the server, in the parts that the server would."""
    obstore.put(store, _PLAIN, source.path, chunk_size=8 * _CHUNK_BYTES, max_concurrency=3)


def get_plainly(source: Source, store: S3Store) -> None:
    """Get it from there again."""
    answer = obstore.get(store, _PLAIN)
    _check_size(source, sum(len(chunk) for chunk in answer.stream(min_chunk_size=_CHUNK_BYTES)))


def measure(server: Server, source: Source, folder: Path) -> list[Spent]:
    """Do all ways, one after the other."""
    copy = folder / "copy"
    copied = _timed("plain copy", lambda: copy_plainly(source, copy))
    copy.unlink()
    sent = _timed("bare socket", lambda: send_barely(source))
    return [
        copied,
        _watched("upload", server, lambda: upload(server, source)),
        sent,
        _watched("download", server, lambda: download(server, source)),
    ]


def measure_bucket(server: Server, source: Source, store: S3Store) -> list[Spent]:
    """Do all ways to a bucket and back, one after the other."""
    return [
        _timed("plain PUT", lambda: put_plainly(source, store)),
        _watched("upload", server, lambda: upload(server, source)),
        _timed("plain GET", lambda: get_plainly(source, store)),
        _watched("download", server, lambda: download(server, source)),
    ]


def _timed(way: str, work: Callable[[], None]) -> Spent:
    begun = time.perf_counter()
    work()
    return Spent(way=way, seconds=time.perf_counter() - begun)


def _watched(way: str, server: Server, work: Callable[[], None]) -> Spent:
    server.forget_peak()
    held, used = server.memory_bytes(), server.cpu_seconds()
    seconds = _timed(way, work).seconds
    return Spent(
        way=way,
        seconds=seconds,
        cpu_seconds=server.cpu_seconds() - used,
        grown_bytes=server.peak_bytes() - held,
    )


def measure_pace(server: Server, source: Source, folder: Path, pace: float) -> Spent:
    """Send other bytes than before, of the same size, over a line of that pace."""
    other = make_source(folder / "other", source.size_bytes // _CHUNK_BYTES)
    return _watched("paced upload", server, lambda: upload(server, other, pace))


def _form(source: Source, pace: float) -> Iterator[bytes]:
    yield _HEAD
    begun = time.perf_counter()
    for number, chunk in enumerate(_chunks(source)):
        if pace:
            time.sleep(max(0.0, begun + number * _CHUNK_BYTES / (pace * 1e6) - time.perf_counter()))
        yield chunk
    yield _TAIL


def _chunks(source: Source) -> Iterator[bytes]:
    with source.path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _drain(read_into: Callable[[bytearray], int]) -> int:
    buffer, received = bytearray(_CHUNK_BYTES), 0
    while count := read_into(buffer):
        received += count
    return received


def _connection(server: Server) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.url).netloc)


def _answer(connection: HTTPConnection, status: int) -> HTTPResponse:
    answer = connection.getresponse()
    assert answer.status == status, f"{answer.status} {answer.read(500)!r}"
    return answer


def _check_size(source: Source, received: int) -> None:
    assert received == source.size_bytes, f"{received} bytes came of {source.size_bytes}"


def _print(ways: Sequence[Spent], paced: Spent | None, source: Source, pace: float) -> None:
    copied, uploaded, sent, downloaded = ways
    line = Spent(way="line", seconds=source.size_bytes / (pace * 1e6)) if pace else None
    gigabytes = source.size_bytes / 1e9
    rows = [
        (
            ours.way,
            f"{gigabytes * 1000 / ours.seconds:,.0f}",
            f"{ours.cpu_seconds / gigabytes:.2f}" if ours.cpu_seconds is not None else "",
            f"{ours.grown_bytes / 1e6:.1f}" if ours.grown_bytes is not None else "",
            ratio(ours.seconds, baseline.seconds),
        )
        for ours, baseline in (
            *((copied, copied), (uploaded, copied), (sent, sent), (downloaded, sent)),
            *([(line, line), (paced, line)] if line and paced else []),
        )
    ]
    columns = ("MB/s", "CPU s/GB", "grown MB", "x plain")
    print_table(f"bytes, a file of {gigabytes:.2f} GB", columns, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and say when the server grew by more than it may."""
    parser = parser_of("blobs", __doc__)
    parser.add_argument("--mebibytes", type=int, default=2048)
    parser.add_argument("--bucket", action="store_true")
    parser.add_argument("--pace", type=float, default=0, metavar="MB")
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, contextlib.ExitStack() as stack:
        source = make_source(folder / "source", options.mebibytes)
        if options.bucket:
            (folder / "objects").mkdir()
            objects = stack.enter_context(object_server(folder / "objects"))
            place = (f"--blobs-url={objects.url('files')}", f"--blobs-endpoint={objects.endpoint}")
            server = stack.enter_context(running_server(folder / "data", *place, workers=0, **objects.environment))
            ways = measure_bucket(server, source, objects.store("plain"))
        else:
            server = stack.enter_context(running_server(folder / "data", workers=0))
            ways = measure(server, source, folder)
        paced = measure_pace(server, source, folder, options.pace) if options.pace else None
    _print(ways, paced, source, options.pace)
    if max(way.grown_bytes or 0 for way in (*ways, *([paced] if paced else []))) >= MAX_GROWTH_BYTES:
        sys.exit("the server grew by more than it may")


if __name__ == "__main__":
    main()
