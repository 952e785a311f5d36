"""What we go out for, each with the settings that allow and bound it."""

from datetime import timedelta

from fireside.config import Config, ConfigError
from fireside.outbound.client import Outbound, Patience
from fireside.outbound.hosts import AllowedHosts


def way_for_imports(config: Config) -> Outbound:
    """Give the way to the files that users name by URL; raises `ConfigError` for an entry that cannot be read."""
    return Outbound(_allowed("import_hosts", config.import_hosts, config))


def way_for_webhooks(config: Config) -> Outbound:
    """Give the way to the receivers of users' messages; raises `ConfigError` for an entry that cannot be read."""
    return Outbound(_allowed("webhook_hosts", config.webhook_hosts, config))


def way_for_models(config: Config) -> Outbound:
    """Give the way to the models of the registry; raises `ConfigError` for an entry that cannot be read."""
    return Outbound(_allowed("model_hosts", config.model_hosts, config))


def webhook_patience(config: Config) -> Patience:
    """How long a receiver may take to answer."""
    return _patience(config, config.webhook_seconds)


def import_patience(config: Config) -> Patience:
    """How long a file may take."""
    return _patience(config, config.import_seconds)


def look_patience(config: Config) -> Patience:
    """How long the head of a file may take, while somebody waits."""
    return _patience(config, min(config.import_seconds, config.outbound_connect_seconds + config.outbound_read_seconds))


def _allowed(setting: str, hosts: tuple[str, ...], config: Config) -> AllowedHosts:
    try:
        return AllowedHosts.parse(setting, hosts, config.outbound_private_hosts)
    except ValueError as error:
        raise ConfigError(f"{setting}, or outbound_private_hosts: {error}") from error


def _patience(config: Config, total_seconds: float) -> Patience:
    return Patience(
        connect=timedelta(seconds=config.outbound_connect_seconds),
        read=timedelta(seconds=config.outbound_read_seconds),
        total=timedelta(seconds=total_seconds),
    )
