"""The units of systemd and the example for cloud-init."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.deploy.platforms import DEPLOY, parse_command, why_no_settings

_PROGRAM = "/opt/fireside/bin/fireside"
_CLOUD = DEPLOY / "cloud-init" / "worker.yaml"
_UNITS = {path.name: path.read_text() for path in sorted((DEPLOY / "systemd").glob("*.service"))}
_UNITS["cloud-init's fireside-worker.service"] = next(
    file["content"] for file in yaml.safe_load(_CLOUD.read_text())["write_files"] if file["path"].endswith(".service")
)

each = pytest.mark.parametrize("text", _UNITS.values(), ids=_UNITS.keys())


def _values(text: str, key: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


@each
def test_its_command_line_is_one_of_ours(text: str) -> None:
    (line,) = _values(text, "ExecStart")
    program, *words = shlex.split(line.replace("%i", "0").replace("${SERVER_URL}", "http://localhost:8787"))

    assert program == _PROGRAM
    parse_command(words)
    # Its data lies where systemd makes a folder for it.
    (state,) = _values(text, "StateDirectory")
    assert f"--data-dir=/var/lib/{state.replace('%i', '0')}" in words


@each
def test_systemd_has_nothing_to_say(text: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    unit = tmp_path / ("fireside@.service" if "%i" in text else "fireside.service")
    unit.write_text(text.replace(_PROGRAM, "/bin/true"))

    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert str(unit) not in told.stderr + told.stdout
    assert told.returncode == 0


@each
def test_a_stop_leaves_the_time_that_it_takes(text: str) -> None:
    assert _values(text, "KillMode") == ["mixed"]
    assert _values(text, "TimeoutStopSec") in (["90"], ["1h"])


def test_the_cloud_example_writes_settings_that_exist() -> None:
    text = _CLOUD.read_text()
    document = yaml.safe_load(text)
    (settings,) = [file["content"] for file in document["write_files"] if file["path"].endswith(".env")]

    assert text.startswith("#cloud-config\n")
    assert set(document) <= {"package_update", "packages", "write_files", "runcmd"}
    assert all({"path", "permissions", "content"} == set(file) for file in document["write_files"])
    assert not why_no_settings([line.partition("=")[0] for line in settings.splitlines()])
    assert all(isinstance(word, str) for command in document["runcmd"] for word in command)
    # What a token stands in is for root alone.
    assert [file["permissions"] for file in document["write_files"] if "TOKEN" in file["content"]] == ["0600"]


def test_a_machine_that_had_nothing_to_do_switches_itself_off() -> None:
    text = _UNITS["cloud-init's fireside-worker.service"]
    (line,) = _values(text, "ExecStart")

    assert "--exit-when-idle=900" in line
    assert _values(text, "SuccessAction") == ["poweroff"]
    assert _values(text, "Restart") == ["on-failure"]
