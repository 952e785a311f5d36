"""What the verbs of the store refuse with."""

from fireside.domain.errors import Conflict, FiresideError, Forbidden, TooLarge, TooMany


class Changed(FiresideError):
    """Somebody else changed the job (or its queue) since it was read; read and decide again."""

    code = "changed"


class TermEnded(Changed):
    """Another server leads by now; whoever wrote as the leader is none any more."""

    code = "term_ended"


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


class DuplicateWorker(Conflict):
    """A worker of this name has joined already."""

    code = "duplicate_worker"


class DuplicateModel(Conflict):
    """A model of this folder and name exists already."""

    code = "duplicate_model"


class JoinTokenUsed(Forbidden):
    """The join token was used, has expired or is revoked."""

    code = "join_token_used"


class FileExists(Conflict):
    """A file of the user stands at this path already."""

    code = "file_exists"


class FilesBlocked(Conflict):
    """A folder would be a file, or a file a folder."""

    code = "files_blocked"


class UserDataFull(TooLarge):
    """The user has as many files or settings, or bytes of them, as are kept."""

    code = "user_data_full"
