"""A cluster of nats-server processes that speak TLS only, with an authority of their own; each can be killed alone."""

import datetime as dt
import ipaddress
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.faults.far import until

from fireside.bus.server import find_program
from fireside.runtimes.comfyui.ports import Port

_DAYS = dt.timedelta(days=30)


class Authority:
    """Signs certificates that are good for so long from now; `ca` is the file with its own."""

    def __init__(self, folder: Path, *, good_for: dt.timedelta = _DAYS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._good_for = good_for
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
        self.ca = folder / "ca.pem"
        made = self._signed(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.ca.write_bytes(made)

    def certificate(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for a server on loopback, and for a client of it; gives its file and that of its key."""
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._signed(subject, key, x509.BasicConstraints(ca=False, path_length=None))
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(made)
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    def _signed(self, subject: x509.Name, key: EllipticCurvePrivateKey, rights: x509.BasicConstraints) -> bytes:
        now = dt.datetime.now(dt.UTC)
        hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAYS)
            .not_valid_after(now + self._good_for)
            .add_extension(rights, critical=True)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        )
        if rights.ca:
            made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            made = made.add_extension(_may_sign(), critical=True)
        return made.sign(self._key, SHA256()).public_bytes(Encoding.PEM)


class BusNode:
    """One server of the cluster; it is started again on the same ports."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        # Kept for them also while it is down: others on this machine take free ones all the time.
        self.port, self.route = Port(), Port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"tls://127.0.0.1:{self.port.number}"

    def start(self) -> None:
        """Start it, and wait until it listens; nothing happens where it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        ports = self.folder / "ports"
        ports.mkdir(parents=True, exist_ok=True)
        for old in ports.iterdir():
            old.unlink()
        with (self.folder / "nats.log").open("ab") as log:
            command = [find_program(), "--config", str(self.folder / "nats.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: list(ports.glob("*.ports")), lambda: (self.folder / "nats.log").read_text(errors="replace"))

    def tell(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.kill()
        self.port.free()
        self.route.free()


class Trusted(Protocol):
    """Who may sign: writes the part of a configuration that says so."""

    def trust_config(self) -> str: ...


class BusCluster:
    """Servers that know each other, and let in who shows what `authority` has signed."""

    def __init__(
        self,
        folder: Path,
        authority: Trusted,
        *,
        size: int = 3,
        asks_for_certificates: bool = False,
        good_for: dt.timedelta = _DAYS,
    ) -> None:
        self._signer = Authority(folder / "tls", good_for=good_for)
        self.ca = self._signer.ca
        self.nodes: Sequence[BusNode] = [BusNode(folder / f"bus-{number}", f"bus-{number}") for number in range(size)]
        for node in self.nodes:
            self._configure(node, authority, asks_for_certificates=asks_for_certificates)

    @property
    def url(self) -> str:
        return ",".join(node.url for node in self.nodes)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a server of ours is to know of it."""
        return {"FIRESIDE_NATS_URL": self.url, "FIRESIDE_NATS_CA": str(self.ca)}

    def certificate(self, name: str) -> tuple[Path, Path]:
        """Make a certificate that the servers know, and its key."""
        return self._signer.certificate(name)

    def start(self) -> None:
        """Start what does not run."""
        for node in self.nodes:
            node.start()

    def kill(self) -> None:
        """End all of it."""
        for node in self.nodes:
            node.kill()

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def _configure(self, node: BusNode, authority: Trusted, *, asks_for_certificates: bool) -> None:
        node.folder.mkdir(parents=True, exist_ok=True)
        certificate, key = self._signer.certificate(node.name)
        files = f"cert_file: {_text(certificate)}, key_file: {_text(key)}, ca_file: {_text(self.ca)}"
        routes = ", ".join(f'"tls://127.0.0.1:{other.route.number}"' for other in self.nodes)
        (node.folder / "nats.conf").write_text(
            f"server_name: {node.name}\n"
            f'listen: "127.0.0.1:{node.port.number}"\n'
            f"ports_file_dir: {_text(node.folder / 'ports')}\n"
            f"tls: {{ {files}, verify: {str(asks_for_certificates).lower()} }}\n"
            "cluster: {\n"
            "  name: fireside\n"
            f'  listen: "127.0.0.1:{node.route.number}"\n'
            f"  tls: {{ {files} }}\n"
            f"  routes: [{routes}]\n"
            "}\n"
            "write_deadline: 5s\n"
            f"{authority.trust_config()}"
        )


def _text(value: Path) -> str:
    return msgspec.json.encode(str(value)).decode()


def _may_sign() -> x509.KeyUsage:
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return x509.KeyUsage(**uses, digital_signature=True, key_cert_sign=True, crl_sign=True, decipher_only=False)
