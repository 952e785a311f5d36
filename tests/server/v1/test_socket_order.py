"""Whatever the bus does to the messages of a job, a socket hears them in the order that clients rely on.

Histories of a job with several attempts are delivered in any order, with losses, repetitions and the words of workers
that lost it, through everything that decides: what is news, the mailbox of a slow listener, the messages.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.events.histories import (
    JOB,
    WORKER,
    assigned,
    cached,
    ended,
    node,
    output,
    progress,
    queued,
    started,
    state,
)

from fireside.events.following import Following, Verdict
from fireside.events.heard import Heard
from fireside.events.listener import Closing, Listener
from fireside.server.v1.socket_messages import SocketMessages
from fireside.wire.live import EndState, Fact, Frame, JobEnded

Told = Fact | Frame
ENDS = {"execution_success", "execution_error", "execution_interrupted"}


@dataclass(frozen=True)
class History:
    """What happened, and what of it was delivered in which order; the end comes at last."""

    happened: Sequence[Told]
    delivered: Sequence[Told]
    end: JobEnded


def attempt(fence: int, nodes: int) -> list[Told]:
    """One run; its nodes are named after its fence, so that a message shows which run it is of."""
    told: list[Told] = [assigned(fence), started(fence), cached(1, fence, f"{fence}.cached")]
    for number in range(nodes):
        name, sequence = f"{fence}.{number}", 2 + 4 * number
        told += [state(sequence, fence, name), node(sequence + 1, fence, name), progress(sequence + 2, fence, name)]
        told += [output(name, fence), state(sequence + 3, fence, name, state="finished")]
    return told


@st.composite
def histories(draw: st.DrawFn) -> History:
    happened: list[Told] = [queued(0)]
    fence = 0
    for is_rescued in draw(st.lists(st.booleans(), max_size=3)):
        fence += 1
        happened += attempt(fence, draw(st.integers(0, 3)))
        fence += is_rescued
        happened.append(queued(fence))
    fence += 1
    happened += attempt(fence, draw(st.integers(0, 3)))
    word: EndState = draw(st.sampled_from(["succeeded", "failed", "canceled", "expired"]))
    end = ended(word, fence + draw(st.integers(0, 1)))
    return History(happened, draw(st.lists(st.sampled_from(happened), max_size=80)), end)


async def texts_of(told: Sequence[Told], pauses: Sequence[int]) -> list[dict[str, Any]]:
    """The texts a socket sends; `pauses` says how much waits before its client reads again."""
    following, listener, messages = Following(), Listener(), SocketMessages("me")
    texts: list[dict[str, Any]] = []
    patience = iter(pauses)
    left = next(patience, 0)
    for one in told:
        for heard in believed(following, one):
            listener.put(heard)
            left -= 1
        if left <= 0:
            texts += await read_all(listener, messages)
            left = next(patience, 0)
    listener.close(Closing.LEFT)
    return texts + await read_all(listener, messages)


def believed(following: Following, told: Told) -> Iterator[Heard]:
    if isinstance(told, Fact):
        if following.take_fact(told):
            yield Heard(job_id=JOB, fact=told)
    elif following.take_frame(JOB, WORKER, told) is Verdict.NEWS:
        yield Heard(job_id=JOB, frame=told)


async def read_all(listener: Listener, messages: SocketMessages) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = []
    while listener._waiting:
        texts += [msgspec.json.decode(frame) for frame in messages.of(await listener.next())]
    return texts


def runs_of(texts: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cut the texts before each start; a piece before the first start is left out when it is empty."""
    counted = 0
    numbers: list[int] = []
    for text in texts:
        counted += text["type"] == "execution_start"
        numbers.append(counted)
    return [[text for _, text in group] for _, group in groupby(zip(numbers, texts, strict=True), lambda one: one[0])]


def nodes_of(text: dict[str, Any]) -> list[str]:
    data = text["data"]
    return list(data.get("nodes") or [name for name in [data.get("node")] if name])


@given(histories(), st.lists(st.integers(0, 120), max_size=5), st.lists(st.integers(0, 10), max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_delivery_is_told_in_order(history: History, pauses: list[int], late: list[int]) -> None:
    afterwards = [history.happened[number % len(history.happened)] for number in late]
    told = [*history.delivered, history.end, history.end, *afterwards]

    texts = asyncio.run(texts_of(told, pauses))

    types = [text["type"] for text in texts]
    assert sum(kind in ENDS for kind in types) == 1
    assert types[-2] in ENDS
    assert texts[-1] == {"type": "executing", "data": {"node": None, "prompt_id": str(JOB)}}
    assert all(text["data"].get("node", "") is not None for text in texts[:-1])
    for run in runs_of(texts):
        kinds = [text["type"] for text in run]
        if kinds[0] != "execution_start":
            # Nothing is told of a job that has not started, but that it has ended.
            assert kinds[0] in ENDS
            continue
        assert kinds[1:2] in ([], ["execution_cached"])
        assert kinds.count("execution_cached") <= 1
        assert len({name.partition(".")[0] for text in run for name in nodes_of(text)}) <= 1
        executed = [text["data"]["node"] for text in run if text["type"] == "executed"]
        assert len(executed) == len(set(executed))


@given(histories())
@settings(max_examples=100, deadline=None)
def test_a_delivery_in_order_to_a_quick_client_leaves_nothing_out(history: History) -> None:
    texts = asyncio.run(texts_of([*history.happened, history.end], []))

    named = [name for text in texts for name in nodes_of(text)]
    happened = [one for one in history.happened if not isinstance(one, type(queued()) | type(assigned()))]
    assert len(texts) == len(happened) + 2
    assert len(named) == len(happened) - len(runs_of(texts))
