"""What somebody else has is looked for exactly as what nobody has: the same questions to the database, with the same
answers, and none to the blobs. So no answer can differ in what it says, nor in the work that it takes.
"""

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from blake3 import blake3
from tests.server.v1.house import House
from tests.server.v2.house import PNG, Caller
from tests.server.v2.test_assets import uploaded
from tests.server.v2.test_submit import load
from tests.watching import Log, WatchedDatabase

from fireside.blobs.local import LocalBlobs

FOREIGN = blake3(PNG).hexdigest()
ABSENT = blake3(b"what nobody has").hexdigest()
QUESTIONS: dict[str, Callable[[str], tuple[str, str, Any]]] = {
    "v2 head": lambda wanted: ("HEAD", f"/api/v2/assets/by-hash/blake3:{wanted}", None),
    "v2 from-hash": lambda wanted: ("POST", "/api/v2/assets/from-hash", {"hash": f"blake3:{wanted}"}),
    "v1 head": lambda wanted: ("HEAD", f"/api/assets/hash/blake3:{wanted}", None),
    "v1 from-hash": lambda wanted: ("POST", "/api/assets/from-hash", {"hash": f"blake3:{wanted}", "tags": ["input"]}),
    "submit": lambda wanted: ("POST", "/api/v2/jobs", {"workflow": load(f"blake3:{wanted}")}),
    "view": lambda wanted: ("GET", f"/api/view?filename=blake3:{wanted}", None),
}


@pytest.fixture
def log(house: House, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Give what is asked of the database and of the blobs from now on."""
    log: Log = []
    monkeypatch.setattr(house.services.store, "_database", WatchedDatabase(house.services.store._database, log))
    for name, method in inspect.getmembers(LocalBlobs, inspect.isfunction):
        if not name.startswith("_"):
            monkeypatch.setattr(LocalBlobs, name, _noting(log, f"blobs.{name}", method))
    return log


def _noting(log: Log, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*args: Any, **kwargs: Any) -> Any:
        log.append((name, 0))
        return method(*args, **kwargs)

    return noted


def _shown(answer: httpx.Response, wanted: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(wanted, "…")


@pytest.mark.statement(157)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_foreign_hash_costs_the_same_questions_as_one_of_nobody(
    ann: Caller, bob: Caller, log: Log, question: str
) -> None:
    await uploaded(bob)

    async def ask(wanted: str) -> tuple[tuple[int, str], Log]:
        method, path, body = QUESTIONS[question](wanted)
        log.clear()
        answer = await ann.http.request(method, path, json=body)
        return _shown(answer, wanted), list(log)

    await ask(ABSENT)
    absent, foreign = await ask(ABSENT), await ask(FOREIGN)

    assert absent == foreign
    assert absent[1]
    assert not [name for name, _ in foreign[1] if name.startswith("blobs.")]


async def test_the_watch_sees_what_the_caller_has(ann: Caller, log: Log) -> None:
    await uploaded(ann)
    log.clear()

    assert (await ann.http.head(f"/api/v2/assets/by-hash/blake3:{FOREIGN}")).status_code == 200
    assert ("asset_by_hash", 1) in log
