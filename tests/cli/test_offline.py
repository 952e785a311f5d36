"""Admin commands on a data folder while no server runs."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases

# What the verbs of accounts do to a database is proven where they are; here is what a command takes and prints.
once = pytest.mark.once


def test_users_and_keys_are_made_before_the_first_start(fireside: Any, tmp_path: Path) -> None:
    assert fireside("users", "create", "ada", "--weight", "2", "--max-running", "3").stdout == "ada\n"
    key = fireside("keys", "create", "--user", "ada", "--label", "laptop").stdout
    users = fireside("users", "list").stdout

    assert re.fullmatch(r"fsk_[\w-]{43}\n", key)
    assert re.search(r"^ada +member +2 +3 +-", users, re.MULTILINE)
    assert not (tmp_path / "fireside-data" / "server.json").exists()


@once
def test_a_users_limits_are_changed_and_taken_back(fireside: Any) -> None:
    fireside("users", "create", "ada", "--keep-days", "30")

    assert fireside("users", "change", "ada", "--max-running", "3", "--keep-jobs", "0").stdout == "ada\n"
    fireside("users", "change", "ada", "--reuse", "no")
    assert re.search(r"^ada +member +1 +3 +- +- +0 +30 +no ", fireside("users", "list").stdout, re.MULTILINE)

    fireside(
        "users",
        "change",
        "ada",
        "--max-running",
        "default",
        "--keep-days",
        "default",
        "--weight",
        "2",
        "--reuse",
        "default",
    )
    assert re.search(r"^ada +member +2 +- +- +- +0 +- +- ", fireside("users", "list").stdout, re.MULTILINE)


@once
def test_a_user_is_deleted_when_that_is_said_twice(fireside: Any) -> None:
    fireside("users", "create", "ada")
    hasty = fireside("users", "delete", "ada")

    assert (hasty.returncode, hasty.stdout) == (2, "")
    assert "add --yes" in hasty.stderr
    assert "ada is deleted" in fireside("users", "delete", "ada", "--yes").stderr
    assert "ada" not in fireside("users", "list").stdout
    last = fireside("users", "delete", "admin", "--yes").stderr
    assert last == "fireside: admin is the last admin: make somebody else one first\n"


@once
def test_a_revoked_key_is_listed_as_revoked(fireside: Any) -> None:
    fireside("users", "create", "ada")
    fireside("keys", "create", "--user", "ada")
    key_id = fireside("keys", "list", "--user", "ada").stdout.splitlines()[1].split()[0]

    assert "is revoked" in fireside("keys", "revoke", key_id).stderr
    assert "was revoked before" in fireside("keys", "revoke", key_id).stderr
    assert fireside("keys", "revoke", "999").stderr == "fireside: there is no key 999\n"


@once
def test_a_key_for_nobody_is_refused_in_one_line(fireside: Any) -> None:
    answer = fireside("keys", "create", "--user", "bob")

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == "fireside: there is no user 'bob'\n"


@once
def test_a_name_is_taken_once(fireside: Any) -> None:
    fireside("users", "create", "ada")
    answer = fireside("users", "create", "ada")

    assert answer.returncode == 1
    assert "ada" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_doctor_finds_a_fresh_folder_well_and_a_damaged_one_ill(fireside: Any, tmp_path: Path) -> None:
    fireside("users", "list")
    well = fireside("doctor")
    (tmp_path / "fireside-data" / "secret_key").write_text("gone")
    ill = fireside("doctor")

    assert well.returncode == 0, well.stdout
    assert "nats-server" in well.stdout
    assert ill.returncode == 1
    assert re.search(r"^problem +secret key", ill.stdout, re.MULTILINE)


def test_doctor_finds_wrong_counters_and_puts_them_right(fireside: Any, databases: Databases, tmp_path: Path) -> None:
    fireside("users", "create", "ada")
    with databases.raw(tmp_path / "fireside-data") as execute:
        execute("INSERT INTO job_total (user_id, workflow, class, n, idle) SELECT id, '', 3, 5, 0 FROM \"user\"")

    first = fireside("doctor", "--counters").stdout
    second = fireside("doctor", "--counters").stdout

    assert re.search(r"^warning +counters +1 of ada's were wrong and are put right", first, re.MULTILINE)
    assert re.search(r"^ok +counters +ada's are right", second, re.MULTILINE)
