"""The settings as rows, for documents, help and whoever must not see the secret ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from fireside.config.table import Config

PREFIX = "FIRESIDE_"
# Variables of this prefix that belong to clients or tests, not to the server's settings.
_CREDENTIALS = frozenset({"FIRESIDE_API_KEY", "FIRESIDE_WORKER_TOKEN"})
NOT_SETTINGS = _CREDENTIALS | {"FIRESIDE_URL", "FIRESIDE_PUBLISHED_V1", "FIRESIDE_PUBLISHED_V2"}
# What libpq finds the password of the database by.
_PASSWORDS = {"PGPASSWORD", "PGPASSFILE"}
# What the object stores' drivers find theirs by.
_CLOUD_SECRETS = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_CLIENT_SECRET", "AZURE_STORAGE_SAS_KEY"),
    *("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"),
}
# A setting that is no secret, but for the password that may be in it.
_MAY_HOLD_ONE = {"FIRESIDE_NATS_URL"}
# What collectors of OpenTelemetry are shown, keys among it.
_COLLECTORS_HEADERS = {"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table, for documents and help."""

    name: str
    type: str
    default: Any
    help: str
    secret: bool
    has_flag: bool


@cache
def settings() -> Sequence[Setting]:
    """List the settings in the order of the table."""
    rows: list[Setting] = []
    for field in msgspec.structs.fields(Config):
        info = msgspec.inspect.type_info(field.type)
        schema: dict[str, Any] = dict(getattr(info, "extra_json_schema", None) or {})
        extra: dict[str, Any] = dict(getattr(info, "extra", None) or {})
        text, secret, has_flag = str(schema.get("description", "")), bool(extra["secret"]), bool(extra["has_flag"])
        rows.append(Setting(field.name, _type_name(field.type), field.default, text, secret, has_flag))
    return tuple(rows)


def variable_of(setting: str) -> str:
    """Name the variable of the environment that holds a setting."""
    return f"{PREFIX}{setting.upper()}"


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Give what a child may know of our environment: no secret setting, no credential, no password of the stores."""
    settings_of_ours = {variable_of(row.name) for row in settings() if row.secret}
    ours = settings_of_ours | _PASSWORDS | _CLOUD_SECRETS | _CREDENTIALS | _COLLECTORS_HEADERS | _MAY_HOLD_ONE
    return {name: value for name, value in environment.items() if name.upper() not in ours}


def plain_type(annotation: Any) -> msgspec.inspect.Type:
    """Give the type of a setting without what is said about it."""
    info = msgspec.inspect.type_info(annotation)
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    return info


def _type_name(annotation: Any) -> str:
    info = plain_type(annotation)
    if isinstance(info, msgspec.inspect.LiteralType):
        return " | ".join(str(value) for value in info.values)
    names = {
        "StrType": "text",
        "IntType": "integer",
        "FloatType": "number",
        "BoolType": "true | false",
        "VarTupleType": "list",
    }
    return names[type(info).__name__]
