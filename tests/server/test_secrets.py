"""No secret is anywhere that people look: a server at its most talkative, with every secret it can have, and faults."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.traces.collector import running_collector
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fireside.wire.tickets import WorkerTicket

SECRET_KEY = "5e" * 32
METRICS_TOKEN = "token-of-the-one-who-measures"
PROVIDERS_SECRET = "secret-of-the-client-of-the-provider"
COLLECTORS_KEY = "key-that-the-collector-is-shown"
GUESS = "a-guess-that-is-no-password"
PASSWORD = "the-password-of-ada-1815"
PARTNERS_KEY = "key-of-a-partner-node"
PARTNERS_TOKEN = "token-of-a-partner-node"
DATABASE_PASSWORD = "password-of-the-database"
BUS_PASSWORD = "password-of-the-bus"
SECONDS = 90


@dataclass(frozen=True)
class Site:
    """A server after everything has happened, and all that it has said."""

    secrets: dict[str, str]
    said: dict[str, str]
    lines: list[dict[str, Any]]
    job: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, make_server: Any) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("secrets") / "data"
    with running_collector() as collector:
        environment = {
            "FIRESIDE_LOG_LEVEL": "debug",
            "FIRESIDE_LOG_FORMAT": "json",
            "FIRESIDE_SECRET_KEY": SECRET_KEY,
            "FIRESIDE_METRICS_TOKEN": METRICS_TOKEN,
            "FIRESIDE_OIDC_ISSUER": "https://127.0.0.1:9",
            "FIRESIDE_OIDC_CLIENT_ID": "fireside",
            "FIRESIDE_OIDC_CLIENT_SECRET": PROVIDERS_SECRET,
            "FIRESIDE_PUBLIC_URL": "http://localhost",
            "FIRESIDE_OTLP_ENDPOINT": collector.url,
            "FIRESIDE_OTLP_HEADERS": f"x-key={COLLECTORS_KEY}",
        }
        with make_server(folder, **environment) as server:
            # It names itself by its public address.
            server.url = f"http://127.0.0.1:{json.loads((folder / 'server.json').read_bytes())['port']}"
            secrets, answers = _make_secrets(server)
            client = server.client(secrets["key"])
            answers += _provoke(server, client, secrets)
            job = _run(client, {"class_type": "FiresideFail", "inputs": {"message": "no", "how": "raise"}})
            collector.trace(job, "run")
            _run(client, {"class_type": "FiresideFail", "inputs": {"message": "no", "how": "crash"}})
            answers += _fail_with_the_bus(server, client)
            said = {
                "answers": "\n".join(answers),
                "metrics": server.client().get("/metrics").text,
                "traces": repr(collector.bodies),
                "doctor": _doctor(server),
                "system": _system(server),
            }
            # The banner of the first start shows a key and a link on purpose, once: another key, another link.
            said |= {str(path): path.read_text(errors="replace") for path in folder.rglob("*.log")}
            lines = [*_lines(server.log()), *_lines((folder / "run/workers/local-1/worker.log").read_text())]
            yield Site(secrets, said, lines, job)


def _make_secrets(server: Any) -> tuple[dict[str, str], list[str]]:
    """Make one of each kind that is made while a server runs."""
    key = server.add_user("ada")
    link, other = server.login_link("ada"), server.login_link("ada")
    answers: list[str] = []
    with server._admin() as admin, httpx.Client(base_url=server.url, timeout=SECONDS) as browser:
        join = admin.post("/admin/api/worker-tokens", json={}).raise_for_status().json()["token"]
        path = "/" + link.split("/", 3)[3]
        answers.append(browser.get(path).text)
        answers.append(browser.post(path).text)
        cookie = browser.cookies.get("fireside_session") or ""
        worker_secret = "fsw_" + "w" * 43
        enrolled = browser.post(
            "/fleet/enroll",
            headers={"Authorization": f"Bearer {join}"},
            json={"secret": worker_secret, "protocol": 10**6, "hostname": "box"},
        )
        answers.append(enrolled.text)
    ticket = msgspec.json.decode((server.data_dir / "run/workers/local-1/ticket.json").read_bytes(), type=WorkerTicket)
    secrets = {
        "key": key,
        "cookie": cookie,
        "login link": other.rpartition("/")[2],
        "used login link": link.rpartition("/")[2],
        "join token": join,
        "worker's secret": worker_secret,
        "token of a worker": ticket.token,
        "worker's key to the bus": ticket.bus_seed,
        "secret_key": SECRET_KEY,
        "metrics_token": METRICS_TOKEN,
        "oidc_client_secret": PROVIDERS_SECRET,
        "otlp_headers": COLLECTORS_KEY,
        "guess": GUESS,
        "password": PASSWORD,
        "partner's key": PARTNERS_KEY,
        "partner's token": PARTNERS_TOKEN,
    }
    return secrets, answers


def _provoke(server: Any, client: httpx.Client, secrets: dict[str, str]) -> list[str]:
    """Show each secret where it does not belong, or with something wrong beside it."""
    key = secrets["key"]
    answers = [
        client.get("/api/jobs/no-such-job", params={"token": key}),
        client.get(f"/api/view?token={key}&filename=../{key}.png"),
        client.get(f"/login/{secrets['login link']}x"),
        client.get("/nothing", params={"api_key": key, "token": secrets["join token"]}),
        client.post("/api/prompt", content=b'{"prompt": {"' + key.encode()),
        client.post(
            "/api/prompt", json={"prompt": {}, "extra_data": {"api_key_comfy_org": PARTNERS_KEY, "fireside": 5}}
        ),
        client.post("/api/v2/jobs", json={"workflow": [], "extra_data": {"auth_token_comfy_org": PARTNERS_TOKEN}}),
        client.post("/login", data={"name": "ada", "password": GUESS}, headers={"Origin": server.url}),
        client.get("/login/openid"),
        client.get("/api/jobs", headers={"X-API-Key": f"{key}x"}),
        client.get("/metrics", headers={"X-API-Key": "", "Authorization": f"Bearer {METRICS_TOKEN}x"}),
        client.put("/fleet/boot", headers={"Authorization": f"Bearer {secrets['token of a worker']}"}, content=b"{"),
        client.post("/fleet/enroll", headers={"Authorization": f"Bearer {secrets['join token']}x"}, content=b"{"),
    ]
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{server.url.replace('http', 'ws', 1)}/ws?token={key}x")
    return [*(one.text for one in answers), repr(refused.value.response.body)]


def _run(client: httpx.Client, node: dict[str, Any]) -> str:
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {**node, "inputs": {"image": ["1", 0], **node["inputs"]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "a"}},
    }
    hidden = {"api_key_comfy_org": PARTNERS_KEY, "auth_token_comfy_org": PARTNERS_TOKEN}
    body = {"prompt": graph, "extra_data": hidden}
    return client.post("/api/prompt", json=body).raise_for_status().json()["prompt_id"]


def _fail_with_the_bus(server: Any, client: httpx.Client) -> list[str]:
    """Have the bus die while jobs are under way."""
    for pid in server.children("nats-server"):
        os.kill(pid, signal.SIGKILL)
    return [client.get("/readyz").text, client.get("/api/jobs").text, client.get("/api/queue").text]


def _doctor(server: Any) -> str:
    with server._admin() as admin:
        return admin.get("/admin/api/doctor").text


def _system(server: Any) -> str:
    with server._admin() as admin:
        return admin.get("/dashboard/system").raise_for_status().text


def _lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_no_secret_is_in_what_a_server_says(site: Site) -> None:
    assert all(len(secret) > 10 for secret in site.secrets.values()), site.secrets.keys()

    shown = [
        (name, place) for name, secret in site.secrets.items() for place, text in site.said.items() if secret in text
    ]

    assert shown == []


def test_every_line_of_a_job_names_it_and_its_user(site: Site) -> None:
    lines = [line for line in site.lines if line.get("job_id") == site.job]

    assert {line["event"] for line in lines} >= {
        "job submitted",
        "job assigned",
        "job running",
        "job ended",
        "job taken",
        "job done",
    }
    assert len({line.get("user_id") for line in lines}) == 1
    assert lines[0]["user_id"] > 1


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        (
            "FIRESIDE_DATABASE_URL",
            f"postgresql://fireside:{DATABASE_PASSWORD}@127.0.0.1:9/fireside",
            DATABASE_PASSWORD,
        ),
        ("FIRESIDE_DATABASE_URL", f"postgresql://fireside:{DATABASE_PASSWORD}/@127.0.0.1/x", DATABASE_PASSWORD),
        ("FIRESIDE_NATS_URL", f"nats://fireside:{BUS_PASSWORD}@127.0.0.1:9", BUS_PASSWORD),
        ("FIRESIDE_NATS_ACCOUNT_SEED", BUS_PASSWORD, BUS_PASSWORD),
        ("FIRESIDE_SECRET_KEY", f"{SECRET_KEY}x", SECRET_KEY),
    ],
    ids=["database", "odd-database", "bus", "seed", "key"],
)
@pytest.mark.sqlite
def test_a_server_that_does_not_start_tells_no_secret(tmp_path: Path, name: str, value: str, secret: str) -> None:
    clean = {key: text for key, text in os.environ.items() if not key.startswith("FIRESIDE_")}
    command = [sys.executable, "-m", "fireside.cli.main", "serve", f"--data-dir={tmp_path}", "--port=0"]
    more = {"FIRESIDE_NATS_URL": "nats://127.0.0.1:9"} if name == "FIRESIDE_NATS_ACCOUNT_SEED" else {}

    done = subprocess.run(
        command,
        env=clean | more | {name: value, "FIRESIDE_LOG_LEVEL": "debug"},
        capture_output=True,
        check=False,
        timeout=600,
    )

    assert done.returncode != 0
    assert secret not in (done.stdout + done.stderr).decode(errors="replace")
