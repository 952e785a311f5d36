"""The caller's webhooks over HTTP."""

from typing import Any

import pytest
from tests.server.v1.conftest import ann, bob, contract, house, nodes
from tests.server.v1.house import GRAPH, Caller, House

from fireside.domain.webhooks import Tried

__all__ = ["ann", "bob", "contract", "house", "nodes"]

URL = "https://hooks.example.com/x"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"webhook_hosts": ("*.example.com",), "max_webhooks": 2}


async def test_a_webhook_is_added_shown_and_removed(ann: Caller, bob: Caller) -> None:
    added = await ann.http.post("/api/webhooks", json={"url": URL, "events": ["job.finished"]})

    assert added.status_code == 201
    body = added.json()
    assert body["secret"].startswith("whsec_")
    (listed,) = (await ann.get("/api/webhooks"))["webhooks"]
    assert listed == {name: value for name, value in body.items() if name != "secret"}
    assert listed["events"] == ["job.finished"]
    assert (await bob.get("/api/webhooks"))["webhooks"] == []
    assert await ann.get(f"/api/webhooks/{body['id']}/secret") == {"secret": body["secret"]}
    for method, path in (("GET", "/secret"), ("POST", "/secret"), ("DELETE", "")):
        assert (await bob.http.request(method, f"/api/webhooks/{body['id']}{path}")).status_code == 404
    assert (await ann.http.delete(f"/api/webhooks/{body['id']}")).status_code == 204
    assert (await ann.get("/api/webhooks"))["webhooks"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"url": "https://elsewhere.test/"}, 403, "host_not_allowed"),
        ({"url": "ftp://hooks.example.com/"}, 400, "bad_url"),
        ({"url": "https://u:p@hooks.example.com/"}, 400, "bad_url"),
        ({"url": URL, "events": ["job.exploded"]}, 400, "bad_request"),
        ({"url": URL, "events": []}, 400, "bad_request"),
        ({}, 400, "bad_request"),
    ],
)
async def test_a_webhook_that_cannot_be_is_refused(ann: Caller, body: Any, status: int, code: str) -> None:
    answer = await ann.http.post("/api/webhooks", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_there_are_only_so_many_and_each_url_once(ann: Caller) -> None:
    statuses = [
        (await ann.http.post("/api/webhooks", json={"url": url})).status_code
        for url in (URL, URL, f"{URL}/2", f"{URL}/3")
    ]

    assert statuses == [201, 409, 201, 429]


async def test_a_webhook_that_was_switched_off_says_so_and_is_on_when_it_is_added_again(
    house: House, ann: Caller
) -> None:
    added = (await ann.http.post("/api/webhooks", json={"url": URL})).json()
    await ann.submit()
    store = house.services.store
    (webhook,) = await store.take_webhooks(ann.user.id, house.services.clock(), house.services.clock(), limit=1)
    await store.note_try(webhook, await store.next_delivery(webhook.id), Tried(at=house.services.clock(), status=410))

    (off,) = (await ann.get("/api/webhooks"))["webhooks"]
    again = await ann.http.post("/api/webhooks", json={"url": URL})

    assert (added["off_since"], off["id"], off["retry_at"]) == (None, added["id"], None)
    assert off["off_since"]
    assert (again.status_code, again.json()) == (201, added)


async def test_secrets_change(ann: Caller) -> None:
    webhook = (await ann.http.post("/api/webhooks", json={"url": URL})).json()

    for path in (f"/api/webhooks/{webhook['id']}/secret", "/api/webhooks/secret"):
        before = await ann.get(path)
        changed = (await ann.http.post(path)).json()
        assert changed["secret"] not in ("", before["secret"])
        assert changed["former_valid_until"]
        assert await ann.get(path) == {"secret": changed["secret"]}


async def test_messages_are_listed_and_sent_again(ann: Caller, bob: Caller) -> None:
    job_id = await ann.submit(extra_data={"fireside": {"webhook_url": URL}})
    other = await ann.submit()

    (message,) = (await ann.get("/api/webhooks/deliveries", job_id=job_id))["deliveries"]
    assert (message["event"], message["url"], message["state"]) == ("job.queued", URL, "pending")
    assert message["data"]["job_id"] == job_id
    assert (await ann.get("/api/webhooks/deliveries", job_id=other))["deliveries"] == []
    assert (await bob.get("/api/webhooks/deliveries", job_id=job_id))["deliveries"] == []
    path = f"/api/webhooks/deliveries/{message['id']}/resend"
    assert (await bob.http.post(path)).status_code == 404
    again = await ann.http.post(path)
    assert (again.status_code, again.json()["message_id"]) == (202, message["message_id"])
    newest, oldest = (await ann.get("/api/webhooks/deliveries"))["deliveries"]
    assert (newest["id"], oldest["id"]) == (again.json()["id"], message["id"])
    assert (await ann.get("/api/webhooks/deliveries", before=newest["id"]))["deliveries"] == [oldest]


@pytest.mark.parametrize("number", ["x", "-1", "99999999999999999999", "0", "9223372036854775808", "²"])
async def test_a_number_that_names_nothing_is_not_found(ann: Caller, number: str) -> None:
    assert (await ann.http.get(f"/api/webhooks/{number}/secret")).status_code == 404
    assert (await ann.http.post(f"/api/webhooks/deliveries/{number}/resend")).status_code == 404


async def test_a_submit_that_names_a_bad_url_is_refused_and_leaves_nothing(ann: Caller) -> None:
    for url, status in (("https://elsewhere.test/", 403), ("nonsense", 400), (7, 400)):
        extra = {"fireside": {"webhook_url": url}}
        answer = await ann.http.post("/api/prompt", json={"prompt": GRAPH, "extra_data": extra})
        assert answer.status_code == status, answer.text
    assert await ann.listed() == []


async def test_the_api_v2_takes_a_url_too(ann: Caller) -> None:
    answer = await ann.http.post("/api/v2/jobs", json={"workflow": GRAPH, "fireside": {"webhook_url": URL}})
    assert answer.status_code == 201, answer.text
    refused = await ann.http.post(
        "/api/v2/jobs", json={"workflow": GRAPH, "fireside": {"webhook_url": "https://elsewhere.test/"}}
    )
    assert refused.status_code == 403

    (message,) = (await ann.get("/api/webhooks/deliveries"))["deliveries"]
    assert message["data"]["job_id"] in (await ann.listed())
