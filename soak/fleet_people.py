"""People who submit at moments that are drawn beforehand, to any server, each again until it says what became of it.

Most jobs make a picture that no other one makes, so that each can be told by its own; some are equal to the one before,
some read an uploaded picture, some fail in a node, and some are canceled a while after they were accepted. Every submit
has an idempotency key, so that one whose answer was lost is not done twice.
"""

import heapq
import io
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from PIL import Image
from soak.graphs import Graph, node

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.1
_EDGE = 448
"""A picture so large that it comes and goes by the bucket itself, not with the messages."""
_SHARES = {"quick": 55, "slow": 20, "equal": 10, "reading": 10, "failing": 5}
_CANCELED_SHARE = 0.08
_LATEST_CANCEL_SECONDS = 6.0


@dataclass
class Wanted:
    """A job that somebody will submit: when, what, and how it may end."""

    name: str
    at: float
    kind: str
    number: int
    seconds: float
    cancel_after: float | None
    job_id: str = ""
    accepted_at: float = 0.0

    @property
    def ends(self) -> tuple[str, ...]:
        """How it may end, as the listing says it."""
        natural = "failed" if self.kind == "failing" else "completed"
        return (natural,) if self.cancel_after is None else (natural, "cancelled")

    @property
    def color(self) -> tuple[int, int, int]:
        """The color of its picture."""
        return (self.number >> 16 & 255, self.number >> 8 & 255, self.number & 255)


def wishes_of(name: str, first: int, count: int, seconds: float, draw: random.Random) -> list[Wanted]:
    """Draw the jobs of one user; no two users' numbers are alike."""
    wishes: list[Wanted] = []
    moments = sorted(draw.uniform(0.0, seconds) for _ in range(count))
    for place, at in enumerate(moments):
        (kind,) = draw.choices(list(_SHARES), list(_SHARES.values()))
        lasts = round(draw.uniform(0.2, 1.5), 2)
        cancel_after = draw.uniform(0.0, _LATEST_CANCEL_SECONDS) if draw.random() < _CANCELED_SHARE else None
        wanted = Wanted(f"{name}-{place}", at, kind, first + place, lasts, cancel_after)
        if kind == "equal" and place > 0:
            wanted.number, wanted.seconds = wishes[-1].number, wishes[-1].seconds
            # Equal to what fails is what fails as well, and to what was canceled nothing is.
            wanted.kind = "failing" if wishes[-1].kind == "failing" else wishes[-1].kind
        wishes.append(wanted)
    return wishes


def noise(seed: int) -> Image.Image:
    """Make a picture that cannot be made small."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (_EDGE, _EDGE, 3), dtype=np.uint8))


@dataclass
class Person:
    """A user, their key at every server, and all they want."""

    name: str
    clients: Sequence[httpx.Client]
    wishes: Sequence[Wanted]
    accepted_by: Callable[[str], None] = lambda _: None
    """Who is told of each job that was accepted."""
    uploaded: str = ""
    accepted: int = 0
    trouble: list[str] = field(default_factory=list[str])
    _asked: int = 0

    def upload(self) -> None:
        """Upload the picture that some of the jobs read."""
        content = io.BytesIO()
        noise(len(self.name)).save(content, "PNG")
        files = {"image": (f"{self.name}.png", content.getvalue(), "image/png")}
        self.uploaded = self.clients[0].post("/api/upload/image", files=files).raise_for_status().json()["name"]

    def run(self, begun: float, stopped: threading.Event) -> None:
        """Submit everything at its time, and cancel what is to be canceled."""
        cancels: list[tuple[float, str]] = []
        for wanted in self.wishes:
            self._cancel_due(cancels, begun + wanted.at)
            time.sleep(max(0.0, begun + wanted.at - time.monotonic()))
            if stopped.is_set():
                return
            self._submit(wanted)
            if wanted.cancel_after is not None:
                heapq.heappush(cancels, (time.monotonic() + wanted.cancel_after, wanted.job_id))
        self._cancel_due(cancels, float("inf"))

    def _cancel_due(self, cancels: list[tuple[float, str]], until: float) -> None:
        while cancels and cancels[0][0] < until:
            at, job_id = heapq.heappop(cancels)
            time.sleep(max(0.0, at - time.monotonic()))
            self._again(f"cancel {job_id}", lambda client, job_id=job_id: _canceled(client, job_id))

    def _submit(self, wanted: Wanted) -> None:
        graph = graph_of(wanted, self.uploaded)
        wanted.job_id = self._again(wanted.name, lambda client: _submitted(client, wanted.name, graph))
        wanted.accepted_at = time.time()
        if wanted.job_id:
            self.accepted_by(wanted.job_id)
        self.accepted += bool(wanted.job_id)

    def _again(self, what: str, ask: Callable[[httpx.Client], str | None]) -> str:
        """Ask one server after the other until there is an answer."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._asked += 1
            try:
                if answer := ask(self.clients[self._asked % len(self.clients)]):
                    return answer
            except (httpx.TransportError, _Away):
                time.sleep(_PAUSE_SECONDS)
            except httpx.HTTPStatusError as error:
                self.trouble.append(f"{what}: {error.response.status_code} {error.response.text[:200]}")
                return ""
        self.trouble.append(f"{what}: no answer within {_PATIENCE_SECONDS:.0f} s")
        return ""


class _Away(Exception):
    """The server says that it cannot answer now."""


def graph_of(wanted: Wanted, uploaded: str) -> Graph:
    """Write its workflow."""
    color = wanted.number
    picture = node("EmptyImage", width=16, height=16, batch_size=1, color=color)
    save = node("SaveImage", images=["2", 0], filename_prefix="soak")
    sleep = node("FiresideSleep", image=["1", 0], seconds=wanted.seconds, steps=10)
    match wanted.kind:
        case "slow":
            return {"1": picture, "2": sleep, "3": save}
        case "failing":
            broken = node("FiresideFail", image=["1", 0], message=f"as told, {color}", how="raise")
            return {"1": picture, "2": broken, "3": save}
        case "reading":
            # The strip makes it a picture of its own; the rest of it is what the inversion made.
            inverted = node("ImageInvert", image=["4", 0])
            strip = node("ImageCompositeMasked", destination=["5", 0], source=["1", 0], x=0, y=0, resize_source=False)
            return {"1": picture, "4": node("LoadImage", image=uploaded), "5": inverted, "2": strip, "3": save}
        case _:
            return {"1": picture, "3": node("SaveImage", images=["1", 0], filename_prefix="soak")}


def _submitted(client: httpx.Client, name: str, graph: Graph) -> str | None:
    body = {"workflow": graph, "metadata": {"name": name}}
    answer = client.post("/api/v2/jobs", json=body, headers={"Idempotency-Key": name})
    if answer.status_code != 422 or answer.json()["error"]["code"] != "idempotency_key_reuse":
        return _said(answer)["id"]
    found = _said(client.get("/api/v2/jobs", params={"metadata[name]": name}))["jobs"]
    return found[0]["id"]


def _canceled(client: httpx.Client, job_id: str) -> str:
    _said(client.post(f"/api/jobs/{job_id}/cancel"))
    return job_id


def _said(answer: httpx.Response) -> Any:
    if answer.status_code == 503:
        raise _Away
    return answer.raise_for_status().json()
