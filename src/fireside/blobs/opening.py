"""From the settings to the place that blobs are kept in."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore import sign
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from fireside.blobs.base import Blobs, BytesWatcher
from fireside.blobs.bucket import Bucket
from fireside.blobs.direct import DirectBucket, utc_now
from fireside.blobs.local import LocalBlobs
from fireside.blobs.objects import ObjectBlobs
from fireside.blobs.presigning import AccessKey, Presigner
from fireside.config import Config, ConfigError

_DRIVERS = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
_ANY_NAME = "0"
_PATIENCE = timedelta(minutes=5)
"""How long one request may take that copies, or brings a part over a slow line."""
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=20)}


def open_blobs(config: Config, data_dir: Path, *, watcher: BytesWatcher | None = None) -> Blobs:
    """Open the blobs of `blobs_url`, or those in the data folder; raises `ConfigError` for what names no place."""
    if not config.blobs_url:
        for setting in ("blobs_endpoint", "blobs_public_endpoint"):
            if getattr(config, setting):
                raise ConfigError(f"{setting}: it is of no use without a blobs_url")
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
        store, patient = _store(config), _store(config, timeout=_PATIENCE)
    except BaseError as error:
        raise ConfigError(f"blobs_url: {error}") from error
    here = _presigner(config, store)
    # Such links say no type of what they lead to.
    is_elsewhere = not config.public_url or _origin(config.blobs_endpoint) != _origin(config.public_url)
    signer = store if config.blobs_direct and is_elsewhere else None
    return ObjectBlobs(
        store,
        patient=patient,
        watcher=watcher,
        bucket=Bucket(here, utc_now) if here else None,
        direct=_direct(config, here),
        signer=signer,
        copies_at_once=place.scheme != "az",
    )


def _store(config: Config, **client: Any) -> S3Store | GCSStore | AzureStore:
    scheme = urlsplit(config.blobs_url).scheme
    options = _endpoint(config, scheme)
    options["client_options"] = options.get("client_options", {}) | client
    return _DRIVERS[scheme].from_url(config.blobs_url, retry_config=_RETRIES, **options)


def _presigner(config: Config, store: S3Store | GCSStore | AzureStore) -> Presigner | None:
    """Sign for the bucket where that can be done: with a key of S3's protocol, which the environment has."""
    key = AccessKey(
        id=os.environ.get("AWS_ACCESS_KEY_ID", ""),
        secret=os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        token=os.environ.get("AWS_SESSION_TOKEN", ""),
    )
    can_sign = isinstance(store, S3Store) and key.id and key.secret
    if config.blobs_public_endpoint and not can_sign:
        raise ConfigError(
            "blobs_public_endpoint: links are signed for s3:// alone, with a key from AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY"
        )
    if not isinstance(store, S3Store) or not can_sign:
        return None
    place = urlsplit(config.blobs_url)
    signed = sign(store, "GET", _ANY_NAME, timedelta(minutes=1))
    return Presigner.like(signed, key, place.netloc, unquote(place.path).strip("/"), _ANY_NAME)


def _direct(config: Config, here: Presigner | None) -> DirectBucket | None:
    if not config.blobs_direct or here is None:
        return None
    outside = here.at(_public_endpoint(config)) if config.blobs_public_endpoint else here
    if config.public_url and _origin(outside.address) == _origin(config.public_url):
        raise ConfigError(
            "blobs_public_endpoint: the bucket must have another host or port than public_url, because users' files"
            " must not be shown as pages of this server"
        )
    return DirectBucket(here, outside)


def _public_endpoint(config: Config) -> str:
    place = urlsplit(config.blobs_public_endpoint)
    if place.scheme not in ("http", "https") or not place.netloc or place.path.strip("/"):
        raise ConfigError(
            f"blobs_public_endpoint: {config.blobs_public_endpoint!r} is no http:// or https:// URL of a host alone"
        )
    return config.blobs_public_endpoint


def _origin(url: str) -> tuple[str, str | None, int | None]:
    place = urlsplit(url)
    return place.scheme, place.hostname, place.port or {"http": 80, "https": 443}.get(place.scheme)


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
