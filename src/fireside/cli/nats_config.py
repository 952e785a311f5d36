"""`fireside nats-config`: what the NATS servers of a cluster have to be told, so that they trust our servers."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fireside.accounts.server_keys import ServerKeys
from fireside.bus.authority import BusAuthority
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give
from fireside.cli.settings import config_in


def nats_config(*, data_dir: Annotated[str | None, Parameter(help="Data folder of the server.")] = None) -> None:
    """Print the part of a nats-server's configuration that lets in this server, its replicas and their workers."""
    config = config_in(data_dir)
    if config.nats_account_seed:
        raise CommandFailed(
            "nats_account_seed is set: the cluster that knows this account needs nothing from here", USAGE
        )
    keys = ServerKeys.load_or_create(Path(config.data_dir), config)
    give(BusAuthority.from_secret(keys.derive("bus")).trust_config().rstrip())
