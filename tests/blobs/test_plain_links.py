"""Links of the store's own scheme, for workers, which know what the bytes are: their form, and who is given one."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.databases import SqliteDatabases
from tests.object_server import ObjectServer
from tests.server.v1.files import house as houses

from fireside.blobs.opening import open_blobs
from fireside.blobs.signing import DownloadClaims
from fireside.config import Config
from fireside.domain.ids import BlobHash

pytestmark = pytest.mark.once
HASH = BlobHash("ab" * 32)
PLACE = f"/ab/{HASH}"
CONTENT = b"<script>what a worker stages</script>"


@dataclass
class Cloud:
    """The service that tells a machine the credentials of its role."""

    credentials: dict[str, str] = field(
        default_factory=lambda: {"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "Token": "role/token"}
    )
    status: int = 200
    asked: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status)
        if request.path.endswith("/security-credentials/"):
            return web.Response(text="role")
        told = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2020-01-01T00:00:00Z"}
        return web.json_response({**told, "Expiration": "2099-01-01T00:00:00Z", **self.credentials})


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    """A machine with a role and no key."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = Cloud()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    yield made
    await runner.cleanup()


async def link_of(config: Config, folder: Path) -> tuple[str, str, dict[str, str]]:
    """Give the host, the path and the parameters of a link that works for five minutes."""
    blobs = open_blobs(config, folder)
    assert blobs.direct is None
    link = await blobs.plain_link(HASH, 300)
    assert link is not None
    parts = urlsplit(link)
    assert parts.scheme == "https"
    return parts.netloc, parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


async def test_azure_signs_with_the_key_of_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"k" * 32).decode())

    host, path, query = await link_of(Config(blobs_url="az://container/files"), tmp_path)

    assert (host, path) == ("account.blob.core.windows.net", f"/container/files{PLACE}")
    assert (query["sp"], query["sr"]) == ("r", "b")
    assert datetime.fromisoformat(query["se"]) - datetime.fromisoformat(query["st"]) == timedelta(minutes=5)
    assert query["sig"]


async def test_google_signs_with_the_key_of_a_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "fireside@studio.iam", "private_key_id": "1"}
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps({**account, "private_key": pem}))

    host, path, query = await link_of(Config(blobs_url="gs://bucket/files"), tmp_path)

    assert (host, path) == ("storage.googleapis.com", f"/bucket/files{PLACE}")
    assert query["X-Goog-Credential"].startswith("fireside@studio.iam/")
    assert (query["X-Goog-Algorithm"], query["X-Goog-Expires"]) == ("GOOG4-RSA-SHA256", "300")


async def test_a_role_of_the_machine_signs_with_its_token(tmp_path: Path, cloud: Cloud) -> None:
    config = Config(blobs_url="s3://bucket/files")

    host, path, query = await link_of(config, tmp_path)

    assert (host, path) == ("s3.eu-central-1.amazonaws.com", f"/bucket/files{PLACE}")
    assert query["X-Amz-Credential"].startswith("ASIA/")
    assert (query["X-Amz-Security-Token"], query["X-Amz-Expires"]) == ("role/token", "300")
    switched_off = Config(blobs_url="s3://bucket/files", blobs_direct=False)
    assert await open_blobs(switched_off, tmp_path).plain_link(HASH, 300) is None
    assert cloud.asked


def test_a_key_for_a_while_in_the_environment_signs_with_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCESS_KEY_ID", "ASIA"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "a/token")):
        monkeypatch.setenv(f"AWS_{name}", value)
    direct = open_blobs(Config(blobs_url="s3://bucket"), tmp_path).direct

    assert direct is not None
    query = parse_qs(urlsplit(direct.link(HASH, {"content-type": "image/png"}, 300)).query)
    assert query["X-Amz-Security-Token"] == ["a/token"]


async def test_where_nobody_signs_it_is_not_tried_each_time(tmp_path: Path, cloud: Cloud) -> None:
    cloud.status = 403
    blobs = open_blobs(Config(blobs_url="s3://bucket"), tmp_path)

    assert await blobs.plain_link(HASH, 300) is None
    asked = cloud.asked
    assert await blobs.plain_link(HASH, 300) is None

    assert cloud.asked == asked > 0


async def test_workers_are_sent_to_the_bucket_by_a_role_and_people_are_not(
    databases: SqliteDatabases, tmp_path: Path, objects: ObjectServer, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = objects.environment
    cloud.credentials = {
        "AccessKeyId": key["AWS_ACCESS_KEY_ID"], "SecretAccessKey": key["AWS_SECRET_ACCESS_KEY"], "Token": "",
    }  # fmt: skip
    monkeypatch.setenv("AWS_REGION", key["AWS_REGION"])
    place: dict[str, Any] = {"blobs_url": objects.url(uuid4().hex), "blobs_endpoint": objects.endpoint}
    async with AsyncExitStack() as doors:
        house = await houses.open_house(databases.config(tmp_path / "data", **place), doors, None)
        blob = await house.services.blobs.write_bytes(CONTENT, limit_bytes=None)

        async def ask(*, is_for_machine: bool) -> httpx.Response:
            claims = DownloadClaims(
                hash=blob.hash,
                filename="input",
                content_type="application/octet-stream",
                expires_at=datetime.now(UTC) + timedelta(hours=1),
                is_for_machine=is_for_machine,
            )
            return await house.stranger.get(f"/files/{house.services.signer.sign(claims)}")

        for_people, for_workers = await ask(is_for_machine=False), await ask(is_for_machine=True)

        assert (for_people.status_code, for_people.content) == (200, CONTENT)
        assert for_workers.status_code == 302
        assert for_workers.headers["location"].startswith(objects.endpoint)
        async with httpx.AsyncClient() as worker:
            assert (await worker.get(for_workers.headers["location"])).content == CONTENT
