"""The server's secret, what is derived from it, and sealing."""

import stat
from pathlib import Path

import pytest

from fireside.accounts.sealing import CannotOpen, Sealer
from fireside.accounts.server_keys import SECRET_KEY_FILE, BadSecretKey, ServerKeys
from fireside.config import Config
from fireside.domain.ids import WorkerId

KEYS = ServerKeys(b"k" * 32)


def test_the_first_start_writes_a_secret_only_its_owner_reads(tmp_path: Path) -> None:
    keys = ServerKeys.load_or_create(tmp_path / "data", Config())

    path = tmp_path / "data" / SECRET_KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ServerKeys.load_or_create(tmp_path / "data", Config()) == keys
    assert [file.name for file in path.parent.iterdir()] == [SECRET_KEY_FILE]


def test_a_secret_from_the_settings_wins_and_leaves_no_file(tmp_path: Path) -> None:
    keys = ServerKeys.load_or_create(tmp_path, Config(secret_key="ab" * 32))

    assert keys.secret_key == b"\xab" * 32
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["ab", "zz" * 32, "ab" * 33])
def test_a_secret_that_is_no_key_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadSecretKey, match="secret_key must be 64 hexadecimal digits"):
        ServerKeys.load_or_create(tmp_path, Config(secret_key=text))


def test_a_damaged_secret_file_is_refused_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / SECRET_KEY_FILE).write_text("gone")

    with pytest.raises(BadSecretKey, match=SECRET_KEY_FILE):
        ServerKeys.load_or_create(tmp_path, Config())
    assert (tmp_path / SECRET_KEY_FILE).read_text() == "gone"


def test_the_secret_is_not_printed() -> None:
    assert "kkk" not in repr(KEYS)


def test_each_purpose_has_a_key_of_its_own() -> None:
    assert len(KEYS.derive("signing")) == 32
    assert KEYS.derive("signing") == KEYS.derive("signing")
    assert KEYS.derive("signing") != KEYS.derive("sealing")
    assert KEYS.derive("signing") != ServerKeys(b"l" * 32).derive("signing")


def test_a_worker_token_names_its_worker() -> None:
    token = KEYS.worker_token(WorkerId("gpu-1_a"))

    assert KEYS.worker_of_token(token) == "gpu-1_a"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "fsw_gpu-1",
        "fsw_gpu-1.",
        "fsw_.00",
        KEYS.worker_token(WorkerId("gpu-1"))[:-1],
        KEYS.worker_token(WorkerId("gpu-1")).replace("gpu-1", "gpu-2"),
        KEYS.worker_token(WorkerId("gpu-1")).removeprefix("fsw_"),
        ServerKeys(b"l" * 32).worker_token(WorkerId("gpu-1")),
        "fsw_gpu-1.\udcff",
        "fsw_gpu\n.00",
    ],
)
def test_a_token_we_did_not_make_names_nobody(token: str) -> None:
    assert KEYS.worker_of_token(token) is None


def test_what_is_sealed_opens_in_its_context_only() -> None:
    sealer = Sealer(KEYS.secret_key)
    sealed = sealer.seal(b"partner key", "job 1")

    assert b"partner" not in sealed
    assert sealer.open(sealed, "job 1") == b"partner key"
    with pytest.raises(CannotOpen):
        sealer.open(sealed, "job 2")
    with pytest.raises(CannotOpen):
        Sealer(b"l" * 32).open(sealed, "job 1")


def test_the_same_secret_never_seals_to_the_same_bytes() -> None:
    sealer = Sealer(KEYS.secret_key)

    assert sealer.seal(b"a", "job 1") != sealer.seal(b"a", "job 1")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x02" + bytes(40), b"\x01" + bytes(40)])
def test_damaged_sealed_bytes_are_refused(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        Sealer(KEYS.secret_key).open(sealed, "job 1")
