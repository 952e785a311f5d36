"""What the verbs of the store refuse with."""

from fireside.domain.errors import Conflict, FiresideError, TooMany


class Changed(FiresideError):
    """Somebody else changed the job (or the leader's term) since it was read; read and decide again."""

    code = "changed"


class DuplicateJob(Conflict):
    """A job with this id exists already, of whatever user."""

    code = "duplicate_job"


class KeyReused(Conflict):
    """The idempotency key was used before: what it was used for is done, or may be."""

    code = "idempotency_key_reuse"


class QueueFull(TooMany):
    """As many jobs wait as may: of this user or, if it `is_of_all`, of all users together."""

    code = "queue_full"

    def __init__(self, message: str, *, is_of_all: bool = False) -> None:
        super().__init__(message)
        self.is_of_all = is_of_all


class DuplicateUser(Conflict):
    """A user of this name exists already."""

    code = "duplicate_user"
