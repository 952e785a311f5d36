"""The program `fireside`: its commands, and how they end.

Whatever goes wrong is one line on standard error that says what to do. Exit codes: 0 done, 1 failed, 2 not understood,
130 interrupted.
"""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

import fireside
from fireside.cli.errors import FAILED, INTERRUPTED, USAGE, CommandFailed
from fireside.cli.printing import say
from fireside.client.errors import ClientError
from fireside.config import ConfigError
from fireside.domain.errors import FiresideError

app = App(name="fireside", help="A self-hosted Comfy Cloud.", version=fireside.__version__, help_format="plaintext")
# By name, because a command loads only what it needs: a worker nothing of a server.
COMMANDS = (
    *("serving:up", "serving:serve", "working:worker", "serving:down", "running:run", "jobs:jobs", "jobs:cancel"),
    *("queue:queue", "keys:login_link", "doctor:doctor", "demo:demo", "users:users", "keys:keys", "workers:workers"),
    *("worker_tokens:worker_token", "usage:usage", "backups:backup", "backups:restore", "nats_config:nats_config"),
    *("migrating:migrate", "fleet:fleet", "audit:audit", "maintenance:maintenance", "models:models"),
)
for command in COMMANDS:
    app.command(f"fireside.cli.{command}")


def main() -> None:
    """Run the command that the program was called with."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code."""
    if not arguments or arguments[0].startswith("-"):
        for name in app:
            app[name]  # loads it, so that the help shows what it says of itself
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _refuse(f"{' '.join(str(error).split())} (fireside --help shows what there is)", USAGE)
    except CommandFailed as error:
        return _refuse(error.message, error.exit_code)
    except ConfigError as error:
        return _refuse(str(error), USAGE)
    except (ClientError, FiresideError) as error:
        return _refuse(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has gone, as `head` does; the interpreter must not complain of it at its end.
        sys.stderr.close()
        return FAILED
    return code if isinstance(code, int) else 0


def _refuse(message: str, code: int) -> int:
    say(f"fireside: {message}")
    return code


if __name__ == "__main__":
    main()
