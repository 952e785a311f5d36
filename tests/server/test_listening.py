"""A server with a certificate, and the doors it has beside the public one."""

import datetime as dt
import ipaddress
import ssl
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.once

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "sealed"}},
}
_PATIENCE_SECONDS = 240.0


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for a public name that 127.0.0.1 is not, as in real life."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fireside.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("fireside.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_with_a_certificate_own_workers_work_and_callers_are_served_https(
    start_server: Any, certificate: tuple[Path, Path]
) -> None:
    server = start_server("--host=0.0.0.0", f"--tls-certificate={certificate[0]}", f"--tls-key={certificate[1]}")
    key = server.key_of("admin")
    trusted = ssl.create_default_context(cafile=str(certificate[0]))
    url = f"https://127.0.0.2:{server.url.rpartition(':')[2]}"
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, verify=trusted) as client:
        job_id = client.post("/api/prompt", json={"prompt": GRAPH}).raise_for_status().json()["prompt_id"]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (job := client.get(f"/api/jobs/{job_id}").json())["status"] != "completed":
            assert time.monotonic() < deadline, job
            time.sleep(0.05)


def test_the_admin_socket_is_for_the_servers_own_user_alone(start_server: Any) -> None:
    server = start_server("--workers=0")
    path = server.data_dir / "admin.sock"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.stop() == 0
    assert not path.exists()


def test_a_server_with_watchers_stops_without_waiting_for_them(start_server: Any) -> None:
    server = start_server("--workers=0")
    with server.watch(server.key_of("admin")) as socket:
        socket.recv()

        assert server.stop() == 0
        list(socket)
        assert socket.close_code == 1001


def test_a_port_that_is_taken_is_one_line(start_server: Any, tmp_path: Path) -> None:
    first = start_server("--workers=0")
    second = tmp_path / "second"

    with pytest.raises(AssertionError, match="is another server there"):
        start_server("--workers=0", f"--port={first.url.rpartition(':')[2]}", name=second.name)
    assert "Traceback" not in (second / "test.log").read_text()
    assert (first.data_dir / "server.json").exists()
