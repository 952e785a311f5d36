"""From the settings to the place that blobs are kept in."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from fireside.blobs.base import Blobs, BytesWatcher
from fireside.blobs.local import LocalBlobs
from fireside.blobs.objects import ObjectBlobs
from fireside.config import Config, ConfigError

_DRIVERS = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}


def open_blobs(config: Config, data_dir: Path, *, watcher: BytesWatcher | None = None) -> Blobs:
    """Open the blobs of `blobs_url`, or those in the data folder; raises `ConfigError` for what names no place."""
    if not config.blobs_url:
        if config.blobs_endpoint:
            raise ConfigError("blobs_endpoint: it is of no use without a blobs_url")
        return LocalBlobs(data_dir / "blobs", watcher=watcher)
    place = urlsplit(config.blobs_url)
    if place.scheme == "file":
        return LocalBlobs(_folder(config.blobs_url), watcher=watcher)
    if place.scheme not in _DRIVERS or not place.netloc:
        raise ConfigError(
            f"blobs_url: {config.blobs_url!r} names no place; it looks like s3://BUCKET/PREFIX, gs://BUCKET/PREFIX,"
            " az://CONTAINER/PREFIX or file:///FOLDER"
        )
    try:
        store = _DRIVERS[place.scheme].from_url(
            config.blobs_url, retry_config=_RETRIES, **_endpoint(config, place.scheme)
        )
    except BaseError as error:
        raise ConfigError(f"blobs_url: {error}") from error
    return ObjectBlobs(store, data_dir / "unfinished", watcher=watcher)


def _endpoint(config: Config, scheme: str) -> dict[str, Any]:
    if not config.blobs_endpoint:
        return {}
    endpoint = urlsplit(config.blobs_endpoint)
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc:
        raise ConfigError(f"blobs_endpoint: {config.blobs_endpoint!r} is no http:// or https:// URL")
    if scheme == "gs":
        raise ConfigError("blobs_endpoint: there is no other server for gs://; use s3:// with its endpoint")
    options = {"endpoint": config.blobs_endpoint, "client_options": {"allow_http": endpoint.scheme == "http"}}
    return options | ({"virtual_hosted_style_request": False} if scheme == "s3" else {})


def _folder(url: str) -> Path:
    place = urlsplit(url)
    if place.netloc or not place.path.startswith("/"):
        raise ConfigError(f"blobs_url: {url!r} names no folder; it looks like file:///FOLDER, with three slashes")
    return Path(unquote(place.path))
