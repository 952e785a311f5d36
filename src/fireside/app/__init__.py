"""Wiring: from the settings to a running server, with or without workers of its own.

`assemble` puts the services together and takes them apart; `serve` adds the edge, the election, upkeep and the workers.
Nothing here decides anything about jobs.
"""

from fireside.app.assembling import Assembly, assemble, open_admin_app, utc_now
from fireside.app.serving import SERVER_FILE, ServerFile, SharedBusNeeded, serve

__all__ = [
    "SERVER_FILE",
    "Assembly",
    "ServerFile",
    "SharedBusNeeded",
    "assemble",
    "open_admin_app",
    "serve",
    "utc_now",
]
