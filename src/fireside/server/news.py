"""What listeners are told after a request has been answered, so that nobody hears of a job before its id."""

from starlette.background import BackgroundTask

from fireside.jobs.reuse import tell_reused
from fireside.jobs.submit import Submitted
from fireside.server.services import Services


def news_of(services: Services, submitted: Submitted) -> BackgroundTask | None:
    """Give what is to be told of a submit that has ended already; of any other its verb has told everything."""
    if submitted.reused is None:
        return None
    return BackgroundTask(tell_reused, services.desk, submitted.reused)
