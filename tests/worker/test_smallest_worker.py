"""A worker made from docs/worker-protocol.md alone, of NATS and HTTP and nothing of ours, runs a job to its end."""

import asyncio
import base64
import json
import secrets
from typing import Any

import httpx
import nats
import nkeys
import pytest
from blake3 import blake3
from nats.aio.msg import Msg
from tests.conftest import StartServer

pytestmark = [
    pytest.mark.once,
    # The NATS library's own way with a websocket, which ours does not go.
    pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float' is deprecated:DeprecationWarning"),
]
DEADLINE_SECONDS = 60
NODE = {
    "input": {"required": {"text": ["STRING", {}]}}, "input_order": {"required": ["text"]}, "output": [],
    "output_is_list": [], "output_name": [], "name": "Shout", "display_name": "Shout", "description": "",
    "python_module": "nodes", "category": "", "output_node": True,
}  # fmt: skip


class SmallestWorker:
    """It shouts texts, into a file."""

    def __init__(self, http: httpx.AsyncClient, worker_id: str, bus: Any) -> None:
        self.http, self.id, self.bus, self.boot_id = http, worker_id, bus, "boot-1"
        self.leases: list[Any] = []
        self.number = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def be_there(self) -> None:
        while True:
            self.number += 1
            words = {"boot_id": self.boot_id, "runtime": "shouting", "ready": True, "leases": self.leases}
            await self.bus.publish(f"presence.{self.id}", json.dumps(words | {"number": self.number}).encode())
            await asyncio.sleep(1)

    async def asked(self, message: Msg) -> None:
        request = json.loads(message.data)
        if request.get("boot_id") not in (None, "", self.boot_id):
            return
        if request["type"] != "assign":
            await message.respond(b"")
            return
        self.leases = [request["lease"]]
        await message.respond(json.dumps({"accepted": True, "number": self.number}).encode())
        task = asyncio.create_task(self.run(request))
        self.tasks.add(task)

    async def run(self, assigned: dict[str, Any]) -> None:
        lease = assigned["lease"]
        work = assigned["work"]
        if work is None:
            query = {"attempt": lease["attempt"], "fence": lease["fence"]}
            work = (await self.http.get(f"/fleet/jobs/{lease['job_id']}", params=query)).raise_for_status().json()
        await self.report(type="started", lease=lease)
        for node_id in work["outputs"]:
            content = work["graph"][node_id]["inputs"]["text"].upper().encode()
            content_hash = blake3(content).hexdigest()
            if (await self.http.head(f"/fleet/blobs/{content_hash}")).status_code == 404:
                (await self.http.put(f"/fleet/blobs/{content_hash}", content=content)).raise_for_status()
            item = {"filename": "shout.txt", "subfolder": "", "type": "output"}
            file = {"key": "files", "index": 0, "hash": content_hash, "size_bytes": len(content)}
            await self.report(
                type="shown",
                lease=lease,
                node_id=node_id,
                display_node_id=node_id,
                output={"files": [item]},
                files=[file],
            )
        await self.report(type="ended", lease=lease, outcome="succeeded", run_seconds=0.1)
        self.leases = []

    async def report(self, **words: Any) -> None:
        status = "retry"
        while status == "retry":
            answer = await self.bus.request(f"reports.{self.id}", json.dumps(words).encode(), timeout=5)
            status = json.loads(answer.data)["status"]
        assert status == "ok", (words["type"], status)


async def join(http: httpx.AsyncClient, token: str) -> str:
    secret = "fsw_" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    body = {"secret": secret, "protocol": 1, "hostname": "box"}
    answer = await http.post("/fleet/enroll", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201, answer.text
    return secret


async def tell(http: httpx.AsyncClient) -> None:
    definitions = json.dumps({"Shout": NODE}).encode()
    named = blake3(definitions).hexdigest()
    body = {"boot_id": "boot-1", "runtime": "shouting", "version": "1", "definitions_hash": named}
    wants = (await http.put("/fleet/worker", json=body)).raise_for_status().json()["wants"]
    assert wants == ["definitions"]
    assert (await http.put(f"/fleet/definitions/{named}", content=definitions)).status_code == 204


async def get_on_the_bus(server_url: str, secret: str, boot: dict[str, Any]) -> Any:
    key = nkeys.from_seed(boot["bus_seed"].encode())
    return await nats.connect(
        server_url.replace("http", "ws", 1) + "/bus",
        user_jwt_cb=lambda: bytearray(boot["bus_jwt"].encode()),
        signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
        inbox_prefix=f"_INBOX_{boot['worker_id']}",
        ws_connection_headers={"Authorization": [f"Bearer {secret}"]},
        allow_reconnect=False,
    )


async def test_the_smallest_worker_runs_a_job(start_server: StartServer) -> None:
    server = start_server("--workers=0")
    with server._admin() as admin:
        token = admin.post("/admin/api/worker-tokens", json={}).raise_for_status().json()["token"]
    async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient(base_url=server.url) as http:
        secret = await join(http, token)
        http.headers["Authorization"] = f"Bearer {secret}"
        boot = (await http.put("/fleet/boot", json={"boot_id": "boot-1", "protocol": 1})).raise_for_status().json()
        bus = await get_on_the_bus(server.url, secret, boot)
        worker = SmallestWorker(http, boot["worker_id"], bus)
        await bus.subscribe(f"work.{worker.id}", cb=worker.asked)
        await tell(http)
        presence = asyncio.create_task(worker.be_there())

        async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": server.key_of("admin")}) as user:
            graph = {"1": {"class_type": "Shout", "inputs": {"text": "hello"}}}
            submitted = await user.post("/api/prompt", json={"prompt": graph})
            assert submitted.status_code == 200, submitted.text
            job_id = submitted.json()["prompt_id"]
            while (job := (await user.get(f"/api/v2/jobs/{job_id}")).json())["status"] in ("queued", "running"):
                await user.get(f"/api/v2/jobs/{job_id}/events")
            file = await user.get("/api/view", params={"filename": "shout.txt"}, follow_redirects=True)

        presence.cancel()
        await asyncio.gather(presence, *worker.tasks, return_exceptions=True)
        await bus.close()
    assert job["status"] == "succeeded"
    assert file.content == b"HELLO"
