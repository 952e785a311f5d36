"""Who may say what on the bus: keys derived from one secret, and the JWTs that NATS checks.

The bus runs in operator mode: an operator trusts one account, the account signs a user for each worker, limited to that
worker's subjects. All keys come from the server's secret, so replicas agree and nothing has to be stored. The claims
are those of NATS JWT version 2.
"""

import base64
import hashlib
import re
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec
import nkeys
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fireside.bus.errors import BadAccountSeed
from fireside.bus.subjects import presence, reports, work
from fireside.domain.ids import WorkerId

_SEED_BYTES = 32
_ACCOUNT = re.compile(r"A[A-Z2-7]{55}")
# Credentials from before this time are revoked; it is in seconds and will not come.
_FOR_EVER = 1 << 40
# A running nats-server takes a new configuration only where its operator's own text is the same.
_OPERATOR_SINCE = 1_767_225_600


class BusCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a client shows to the bus: a signed JWT and the seed of the key it names."""

    jwt: str
    seed: str


class BusAuthority:
    """Signs the credentials of everybody on the bus."""

    def __init__(self, secret: bytes, account_seed: bytes, account: str = "") -> None:
        self._secret = secret
        self._account_key = account
        self._account = nkeys.from_seed(account_seed)
        self._operator = nkeys.from_seed(_seed(secret, "operator", nkeys.PREFIX_BYTE_OPERATOR))

    @classmethod
    def from_secret(cls, secret: bytes) -> "BusAuthority":
        """Derive operator and account from 32 secret bytes."""
        return cls(secret, _seed(secret, "account", nkeys.PREFIX_BYTE_ACCOUNT))

    @classmethod
    def from_account_seed(cls, account_seed: str, account: str = "") -> "BusAuthority":
        """Sign for an account that the operator's own NATS cluster trusts; raises `BadAccountSeed`.

        With the public key of an `account` the seed is that of a signing key of it.
        """
        seed = account_seed.encode()
        if account and not _ACCOUNT.fullmatch(account):
            raise BadAccountSeed("the setting nats_account is not the public key of a NATS account: A and 55 more")
        try:
            return cls(hashlib.sha256(seed).digest(), seed, account)
        except (nkeys.NkeysError, ValueError):
            # Not chained: what failed may quote it.
            raise BadAccountSeed(
                "the setting nats_account_seed is not the seed of a NATS account: SA and 56 more"
            ) from None

    def server_credentials(self) -> BusCredentials:
        """Credentials that may say and hear everything in the account."""
        return self._user("server", {})

    def worker_credentials(
        self, worker_id: WorkerId, number: int = 0, *, good_for: timedelta | None = None
    ) -> BusCredentials:
        """Credentials limited to the worker's own subjects and inbox.

        `number` tells workers apart that have had one name, one after the other: each has a key of its own.
        When they were `good_for` so long, the bus ends the connection that was made with them; None: never.
        """
        own_live = f"live.*.*.{worker_id}"
        return self._user(
            _user_name(worker_id, number),
            {
                "pub": {"allow": [presence(worker_id), reports(worker_id), own_live]},
                "sub": {"allow": [work(worker_id), f"{inbox_of(worker_id)}.>"]},
                "resp": {"max": 1, "ttl": 60_000_000_000},
            },
            good_for,
        )

    def worker_key(self, worker_id: WorkerId, number: int = 0) -> str:
        """The public key that a worker's credentials are for."""
        return _public(nkeys.from_seed(self._user_seed(_user_name(worker_id, number))))

    def server_config(self, ports_folder: str, port: int, revoked: Collection[str] = ()) -> str:
        """Write the configuration of a nats-server on loopback that trusts only us; port -1 takes a free one.

        Whoever has one of the `revoked` keys does not come in any more.
        """
        return (
            f'listen: "127.0.0.1:{port}"\n'
            f"ports_file_dir: {msgspec.json.encode(ports_folder).decode()}\n"
            f"{self.trust_config(revoked)}"
            "write_deadline: 5s\n"
        )

    def trust_config(self, revoked: Collection[str] = ()) -> str:
        """Write what makes any nats-server trust us and nobody else: to be part of its configuration.

        Without anybody revoked it is the same each time, so the servers of a cluster may get theirs one by one.
        """
        account, operator = _public(self._account), _public(self._operator)
        operator_claims = {"type": "operator", "version": 2}
        operator_jwt = self._signed(self._operator, operator, "fireside", operator_claims, issued_at=_OPERATOR_SINCE)
        limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
        claims: dict[str, Any] = {"type": "account", "version": 2, "limits": limits | {"wildcards": True}}
        if revoked:
            claims["revocations"] = dict.fromkeys(sorted(revoked), _FOR_EVER)
        since = None if revoked else _OPERATOR_SINCE
        account_jwt = self._signed(self._operator, account, "fireside", claims, issued_at=since)
        return f"operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload: {{ {account}: {account_jwt} }}\n"

    def _user(self, name: str, permissions: dict[str, Any], good_for: timedelta | None = None) -> BusCredentials:
        seed = self._user_seed(name)
        user = nkeys.from_seed(seed)
        unlimited = {"subs": -1, "data": -1, "payload": -1}
        claims = {"type": "user", "version": 2, **unlimited, **permissions}
        if self._account_key:
            claims["issuer_account"] = self._account_key
        jwt = self._signed(self._account, _public(user), name, claims, good_for=good_for)
        return BusCredentials(jwt=jwt, seed=seed.decode())

    def _user_seed(self, name: str) -> bytes:
        return _seed(self._secret, f"user {name}", nkeys.PREFIX_BYTE_USER)

    def _signed(
        self,
        signer: nkeys.KeyPair,
        subject: str,
        name: str,
        nats: dict[str, Any],
        *,
        issued_at: int | None = None,
        good_for: timedelta | None = None,
    ) -> str:
        since = int(time.time()) if issued_at is None else issued_at
        claims: dict[str, Any] = {"iat": since, "iss": _public(signer), "name": name, "sub": subject, "nats": nats}
        if good_for is not None:
            claims["exp"] = int(time.time() + good_for.total_seconds())
        digest = hashlib.sha256(msgspec.json.encode(claims)).digest()
        claims = {"jti": base64.b32encode(digest).decode().rstrip("="), **claims}
        head = _base64({"typ": "JWT", "alg": "ed25519-nkey"})
        signed = f"{head}.{_base64(claims)}"
        mark = base64.urlsafe_b64encode(signer.sign(signed.encode())).decode().rstrip("=")
        return f"{signed}.{mark}"


def inbox_of(name: str) -> str:
    """The prefix of the subjects on which a client hears answers."""
    return f"_INBOX_{name}"


def _user_name(worker_id: WorkerId, number: int) -> str:
    # A worker's name has no blank, so these two never meet.
    return f"worker {worker_id} {number}" if number else f"worker {worker_id}"


def _seed(secret: bytes, purpose: str, prefix: int) -> bytes:
    info = f"fireside bus {purpose}".encode()
    raw = HKDF(algorithm=SHA256(), length=_SEED_BYTES, salt=None, info=info).derive(secret)
    return bytes(nkeys.encode_seed(raw, prefix))


def _public(pair: nkeys.KeyPair) -> str:
    return bytes(pair.public_key).decode()


def _base64(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
