"""Where traces go, by our settings or by the variables that OpenTelemetry gives names to.

A setting of ours wins. What is named goes by OTLP over HTTP with protobuf; the variables may name other ways, for other
programs, and then there are no traces of ours, which the log says.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import structlog

from fireside import __version__
from fireside.config import Config

_PATH = "/v1/traces"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A collector, what to show it, and who we are to it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    certificate: str = ""
    resource: Mapping[str, str]

    @property
    def shown(self) -> str:
        """The URL as people may read it: without what may be a credential."""
        address = urlsplit(self.url)
        return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


def target_of(config: Config, environment: Mapping[str, str], *, instance: str = "") -> Target | None:
    """Say where traces go; None for nowhere. `instance` is what this process is called."""
    named = config.otlp_endpoint or _named_by_others(environment)
    if not named:
        return None
    headers = _pairs(config.otlp_headers) if config.otlp_headers else _headers(environment)
    return Target(
        url=named if urlsplit(named).path.endswith(_PATH) or _is_whole(config, environment) else _with_path(named),
        headers=headers,
        certificate=_first(environment, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        resource=_resource(environment, instance),
    )


def _named_by_others(environment: Mapping[str, str]) -> str:
    url = _first(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    exporters = _first(environment, "OTEL_TRACES_EXPORTER") or "otlp"
    if not url or _first(environment, "OTEL_SDK_DISABLED").lower() == "true" or "otlp" not in exporters.split(","):
        return ""
    protocol = _first(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in ("", "http/protobuf") or urlsplit(url).scheme not in ("http", "https"):
        _log.warning(
            "no traces are sent",
            reason="the variables of OpenTelemetry name a receiver that does not take http/protobuf; otlp_endpoint"
            " names one that does, mostly at port 4318",
        )
        return ""
    return url


def _is_whole(config: Config, environment: Mapping[str, str]) -> bool:
    """Whether the URL is used as it stands, as the variable for traces alone wants it."""
    return not config.otlp_endpoint and bool(_first(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))


def _with_path(url: str) -> str:
    return url.rstrip("/") + _PATH


def _headers(environment: Mapping[str, str]) -> dict[str, str]:
    listed = _first(environment, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    return {name: unquote(value) for name, value in _pairs(listed.split(",")).items()}


def _resource(environment: Mapping[str, str], instance: str) -> dict[str, str]:
    listed = _first(environment, "OTEL_RESOURCE_ATTRIBUTES").split(",")
    others = {name: unquote(value) for name, value in _pairs(listed).items()}
    host = socket.gethostname()
    ours = {"service.name": "fireside", "service.version": __version__, "host.name": host}
    ours |= {"service.instance.id": instance or host} | others
    name = _first(environment, "OTEL_SERVICE_NAME")
    return ours | ({"service.name": name} if name else {})


def _pairs(listed: "list[str] | tuple[str, ...]") -> dict[str, str]:
    pairs = (one.partition("=") for one in listed)
    return {name.strip(): value.strip() for name, is_pair, value in pairs if is_pair and name.strip()}


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((environment[name].strip() for name in names if environment.get(name, "").strip()), "")
