"""The program `fireside`: its commands, and how they end.

Whatever goes wrong is one line on standard error that says what to do. Exit codes: 0 done, 1 failed, 2 not understood,
130 interrupted.
"""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

import fireside
from fireside.cli.demo import demo
from fireside.cli.doctor import doctor
from fireside.cli.errors import FAILED, INTERRUPTED, USAGE, CommandFailed
from fireside.cli.jobs import cancel, jobs
from fireside.cli.keys import keys, login_link
from fireside.cli.printing import say
from fireside.cli.queue import queue
from fireside.cli.running import run
from fireside.cli.serving import down, serve, up, worker
from fireside.cli.users import users
from fireside.cli.workers import workers
from fireside.client.errors import ClientError
from fireside.config import ConfigError
from fireside.domain.errors import FiresideError

app = App(name="fireside", help="A self-hosted Comfy Cloud.", version=fireside.__version__, help_format="plaintext")
for command in (up, serve, worker, down, run, jobs, cancel, queue, login_link, doctor, demo, users, keys, workers):
    app.command(command)


def main() -> None:
    """Run the command that the program was called with."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: Sequence[str]) -> int:
    """Run a command and give its exit code."""
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
