"""What the verbs of the store refuse with."""

from fireside.domain.errors import Conflict, FiresideError, TooMany


class Changed(FiresideError):
    """Somebody else changed the job (or the leader's term) since it was read; read and decide again."""

    code = "changed"


class DuplicateJob(Conflict):
    """A job with this id exists already, of whatever user."""

    code = "duplicate_job"


class QueueFull(TooMany):
    """The user has as many queued jobs as they may."""

    code = "queue_full"


class DuplicateUser(Conflict):
    """A user of this name exists already."""

    code = "duplicate_user"
