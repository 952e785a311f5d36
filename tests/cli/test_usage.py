"""What the program says to words it does not understand."""

from typing import Any

import pytest

from fireside import __version__

pytestmark = pytest.mark.once


def test_it_says_its_version(fireside: Any) -> None:
    assert fireside("--version").stdout.strip() == __version__


def test_help_lists_every_command(fireside: Any) -> None:
    text = fireside("--help").stdout

    for word in ("up", "serve", "worker", "run", "jobs", "cancel", "users", "keys", "login-link", "doctor", "down"):
        assert f" {word} " in text


def test_help_says_what_a_command_does_whatever_stands_before(fireside: Any) -> None:
    assert "Cancel a job" in fireside("--data-dir", "x", "jobs", "--help").stdout


def test_every_setting_but_keys_is_an_option_with_its_help(fireside: Any) -> None:
    text = fireside("up", "--help", COLUMNS="200").stdout

    assert "--max-upload-bytes" in text
    assert "Largest file that is taken." in text
    assert "--secret-key" not in text
    assert "--nats-account-seed" not in text
    assert "--database-url" in text
    assert "other users of the machine can read a password in it" in " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["upp"], 'Did you mean "up"?'),
        (["users", "crate", "bob"], 'Did you mean "create"?'),
        (["up", "--hots", "::1"], "Did you mean --host?"),
        (["up", "--port", "http"], "--port"),
        (["up", "--port=99999"], "port: Expected `int` <= 65535"),
        (["users", "create", "bob", "--role", "king"], '"admin", "member"'),
        (["keys", "create"], "--user"),
        (["keys", "revoke", "x"], "x"),
        (["jobs", "--limit", "0"], "limit"),
        (["worker-token", "create", "--expires", "soon"], "write 30m, 24h, 7d or never"),
        (["worker-token", "revoke", "x"], "x"),
        (["worker", "--server", "gpu.example.org"], "is not the URL of a server"),
        (["worker", "--gpus", "0"], "gpus: there is no comfyui_dir"),
        (["worker", "--label", "site"], "label: 'site' is not key=value"),
        (["worker", "--comfyui-url", "nowhere"], "comfyui_url: 'nowhere' is no URL"),
        (["run", "none.json"], "cannot read none.json"),
    ],
)
def test_a_mistake_is_one_line_that_helps(fireside: Any, arguments: list[str], words: str) -> None:
    answer = fireside(*arguments)

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert words in answer.stderr
    assert answer.stderr.startswith("fireside: ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["jobs"], ["cancel", "x"]])
def test_without_a_server_a_client_says_what_to_do(fireside: Any, command: list[str]) -> None:
    answer = fireside(*command)

    assert answer.returncode == 1
    assert answer.stderr == (
        "fireside: no server runs on fireside-data; start one with `fireside up`, or give --url and --key\n"
    )


def test_a_server_that_is_not_there_is_said_with_its_address(fireside: Any) -> None:
    answer = fireside("jobs", "--url", "http://127.0.0.1:1", "--key", "fsk_x")

    assert answer.returncode == 1
    assert "cannot reach http://127.0.0.1:1" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_word_that_is_no_url_is_said(fireside: Any) -> None:
    assert "is not a URL" in fireside("jobs", FIRESIDE_URL="localhost:8787").stderr


def test_a_wrong_setting_in_the_environment_is_said_before_anything_starts(fireside: Any, tmp_path: Any) -> None:
    answer = fireside("up", FIRESIDE_PROT="1", FIRESIDE_WORKERS="-1")

    assert answer.returncode == 2
    assert "'prot'" in answer.stderr
    assert "workers" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_has_not_joined_says_what_it_needs(fireside: Any) -> None:
    answer = fireside("worker", "--data-dir=box")

    assert answer.returncode == 1
    assert "give --server URL and --token TOKEN" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_worker_takes_no_data_folder_of_a_server(fireside: Any, tmp_path: Any) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "secret_key").write_text("x")

    answer = fireside("worker", "--data-dir=box", "--server=http://127.0.0.1:1", "--token=fsj_x")

    assert answer.returncode == 1
    assert "is the data folder of a server" in answer.stderr


def test_stopping_nothing_is_no_failure(fireside: Any) -> None:
    answer = fireside("down")

    assert answer.returncode == 0
    assert "no server runs" in answer.stderr
