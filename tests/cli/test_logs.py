"""What a server's log must not say."""

import subprocess
import sys

import pytest

FAIL = """
import structlog
from fireside.cli.logs import set_up_logs
from fireside.config import Config

def fail():
    secret = "-".join(["hush", "hush"])
    raise LookupError("the cause")

set_up_logs(Config(log_format="{log_format}"))
try:
    fail()
except LookupError:
    structlog.get_logger("test").exception("failed")
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_tells_the_cause_and_no_local_values(log_format: str) -> None:
    command = [sys.executable, "-c", FAIL.format(log_format=log_format)]

    log = subprocess.run(command, check=True, capture_output=True, text=True).stderr

    assert "LookupError" in log
    assert "the cause" in log
    assert "hush-hush" not in log
