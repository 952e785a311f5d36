"""The one secret of a server, and what is derived from it.

All keys (signing of URLs, sealing of secrets, the bus's authority, worker tokens) come from one 32-byte secret by HKDF,
so that replicas need to share one setting only. By default it is a file in the data folder that its owner alone reads.
"""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fireside.config import Config
from fireside.domain.errors import FiresideError
from fireside.domain.ids import WorkerId

SECRET_KEY_FILE = "secret_key"  # noqa: S105 - the name of the file, not what is in it
_KEY_BYTES = 32
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")
_WORKER_TOKEN_PREFIX = "fsw_"  # noqa: S105 - the public part of every token
_WORKER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadSecretKey(FiresideError):
    """The secret key is not 64 hexadecimal digits, or its file cannot be read."""

    code = "bad_secret_key"


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """Keys for each purpose, all from one secret."""

    secret_key: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, data_dir: Path, config: Config) -> "ServerKeys":
        """Take the secret from the settings, else from its file in the data folder, which the first start writes.

        Raises `BadSecretKey`.
        """
        if config.secret_key:
            return cls(_parse_key(config.secret_key, "the setting secret_key"))
        path = data_dir / SECRET_KEY_FILE
        data_dir.mkdir(parents=True, exist_ok=True)
        _create_key_file(path)
        try:
            return cls(_parse_key(path.read_text("ascii").strip(), str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise BadSecretKey(f"cannot read {path}: {error}") from error

    def derive(self, purpose: str) -> bytes:
        """Derive the 32-byte key of a purpose; the same for the same secret, unrelated for another purpose."""
        info = b"fireside " + purpose.encode()
        return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(self.secret_key)

    def worker_token(self, worker_id: WorkerId) -> str:
        """Make the token by which a worker shows who it is; nothing has to be remembered for it."""
        return f"{_WORKER_TOKEN_PREFIX}{worker_id}.{self._worker_mark(worker_id)}"

    def worker_of_token(self, token: str) -> WorkerId | None:
        """Say whose token this is; None when we did not make it. Takes as long for a near miss as for any other."""
        name, _, mark = token.removeprefix(_WORKER_TOKEN_PREFIX).partition(".")
        if not token.startswith(_WORKER_TOKEN_PREFIX) or not _WORKER_NAME.fullmatch(name):
            return None
        worker_id = WorkerId(name)
        is_ours = hmac.compare_digest(self._worker_mark(worker_id).encode(), mark.encode("utf-8", "surrogatepass"))
        return worker_id if is_ours else None

    def _worker_mark(self, worker_id: WorkerId) -> str:
        return hmac.new(self.derive("worker tokens"), worker_id.encode(), hashlib.sha256).hexdigest()


def _parse_key(text: str, source: str) -> bytes:
    if not _HEX_KEY.fullmatch(text):
        raise BadSecretKey(f"{source} must be 64 hexadecimal digits")
    return bytes.fromhex(text)


def _create_key_file(path: Path) -> None:
    """Write a new secret unless there is one: written aside and linked, so that nobody ever reads half of it."""
    if path.exists():
        return
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # another process was first; its secret is the one that counts
    finally:
        aside.unlink()
