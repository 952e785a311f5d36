"""Log lines of a server, on standard error."""

import logging
import sys

import structlog

from fireside.config import Config

_UNTRUE = "ASGI callable returned without completing handshake."


def set_up_logs(config: Config) -> None:
    """Send log lines of the settings' level, in the settings' form, to standard error."""
    level = logging.getLevelNamesMapping()[config.log_level.upper()]
    logging.basicConfig(
        level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    # Of each websocket that was refused, it believes that it was left without an answer.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != _UNTRUE)
    # Without the locals of its frames: they hold what is never logged, keys and passwords among them.
    renderers: list[structlog.typing.Processor] = (
        [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
        if config.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
