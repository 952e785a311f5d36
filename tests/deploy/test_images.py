"""The Dockerfiles: a linter's word, and that they copy what is there and run what our program understands.

No image is built here: that takes a daemon and a registry of images.
"""

import json
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.deploy.platforms import DEPLOY, ROOT, parse_command, why_no_settings

_FILES = {path.name: path for path in sorted((DEPLOY / "docker").glob("*Dockerfile"))}
_SENT = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

each = pytest.mark.parametrize("file", _FILES.values(), ids=_FILES.keys())


def _lines(file: Path, instruction: str, stage: int = 0) -> list[str]:
    """Give what stands behind an instruction, from a stage on; -1 is the last."""
    text = re.sub(r"\\\n\s*", "", file.read_text())
    stages = re.split(r"^(?=FROM )", text, flags=re.MULTILINE)[1:]
    lines = "".join(stages[stage:]).splitlines()
    return [line.removeprefix(instruction).strip() for line in lines if line.startswith(f"{instruction} ")]


@each
def test_the_linter_has_nothing_to_say(file: Path) -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"

    told = subprocess.run([linter, file], capture_output=True, text=True, timeout=120, check=False)

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@each
def test_it_copies_what_is_there_and_is_sent(file: Path) -> None:
    for line in _lines(file, "COPY"):
        if not line.startswith("--from="):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in _SENT


@each
def test_it_runs_our_program_as_nobody_in_particular(file: Path) -> None:
    (entry,), (words,), (user,) = (_lines(file, name, -1) for name in ("ENTRYPOINT", "CMD", "USER"))
    variables = [word.partition("=")[0] for line in _lines(file, "ENV", -1) for word in shlex.split(line)]

    assert json.loads(entry) == ["/usr/bin/tini", "--", "fireside"]
    parse_command(json.loads(words))
    assert user == "10001:10001"
    assert not why_no_settings(variables)


def test_there_are_images_for_a_server_and_workers() -> None:
    assert {"server.Dockerfile", "worker.Dockerfile", "worker.cuda.Dockerfile"} <= set(_FILES)
