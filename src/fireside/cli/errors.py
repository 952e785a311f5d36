"""How a command says that it cannot go on: one line for people, and the exit code."""

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class CommandFailed(Exception):
    """The command cannot do what it was asked; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
