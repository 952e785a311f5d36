"""The compose files of a studio, held against the Compose specification, our settings, commands and images."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.deploy.platforms import DEPLOY, ROOT, SCHEMAS, parse_command, why_no_settings
from tests.object_server import weed_program

from fireside.accounts.server_keys import ServerKeys
from fireside.bus.authority import BusAuthority
from fireside.bus.server import find_program
from fireside.config import Config

_COMPOSE = DEPLOY / "compose"
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\?|-)([^}]*))?\}")
_FILES = {
    "compose.yaml": "server.env.example",
    "compose.worker.yaml": "worker.env.example",
}
_OURS = "fireside/"

each = pytest.mark.parametrize(("name", "example"), _FILES.items(), ids=_FILES.keys())


def _example(name: str) -> dict[str, str]:
    lines = (_COMPOSE / name).read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {variable: value or "something" for variable, value in pairs.items()}


def _filled(text: str, given: Mapping[str, str]) -> str:
    def value(found: "re.Match[str]") -> str:
        name, _, default = found.groups()
        return given.get(name, default or "")

    return _VARIABLE.sub(value, text)


def _services(name: str, example: str) -> dict[str, Any]:
    return yaml.safe_load(_filled((_COMPOSE / name).read_text(), _example(example)))["services"]


@each
def test_it_is_a_compose_file(name: str, example: str) -> None:
    validator = jsonschema.Draft7Validator(json.loads((SCHEMAS / "compose-spec.json").read_text()))
    found = yaml.safe_load((_COMPOSE / name).read_text())

    validator.validate(found)
    next(iter(found["services"].values()))["imagine"] = "a slip"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(found)


@each
def test_every_setting_exists_and_every_command_line_parses(name: str, example: str) -> None:
    ours = [one for one in _services(name, example).values() if one["image"].startswith(_OURS)]

    assert ours
    for one in ours:
        assert not why_no_settings(list(one.get("environment", {})))
        if "command" in one:
            parse_command(one["command"])
        if "entrypoint" in one:
            parse_command(one["entrypoint"][-1].partition(">")[0].split()[1:])
        build = one["build"]
        assert (_COMPOSE / build["context"]).resolve() == ROOT
        assert (ROOT / build["dockerfile"]).is_file()


@each
def test_every_variable_stands_in_the_example_or_has_a_default(name: str, example: str) -> None:
    given = _example(example)
    for variable, sign, _ in _VARIABLE.findall((_COMPOSE / name).read_text()):
        assert variable in given or sign == "-"


@each
def test_what_is_mounted_is_there(name: str, example: str) -> None:
    document = yaml.safe_load(_filled((_COMPOSE / name).read_text(), _example(example)))
    for one in document["services"].values():
        for mount in one.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("./"):
                assert (_COMPOSE / source).exists()
            elif not source.startswith("/"):
                assert source in document["volumes"]
        assert set(one.get("depends_on", {})) <= set(document["services"])


def test_a_real_nats_server_takes_its_configuration(tmp_path: Path) -> None:
    keys = ServerKeys.load_or_create(tmp_path, Config(secret_key="5e" * 32))
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "trust.conf").write_text(BusAuthority.from_secret(keys.derive("bus")).trust_config())
    (tmp_path / "nats.conf").write_text((_COMPOSE / "nats.conf").read_text())

    told = subprocess.run(
        [find_program(), "--config", str(tmp_path / "nats.conf"), "-t"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 0, told.stderr


def test_the_bucket_is_started_with_options_that_it_has() -> None:
    words = _services("compose.yaml", "server.env.example")["s3"]["command"]
    # Its help leaves some out, so it is asked to say what it does not know.
    told = subprocess.run(
        [weed_program(), *words, "-no-such-option"], capture_output=True, text=True, timeout=60, check=False
    )

    assert "no-such-option" in told.stderr + told.stdout
    assert "not defined: -no-such-option" in told.stderr + told.stdout
