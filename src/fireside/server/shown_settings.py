"""Settings as an admin may see them: where each came from, and nothing that lets anybody in. Pure."""

import re
from collections.abc import Mapping
from typing import Any, cast

from fireside.config import Config, Origin, settings
from fireside.wire.system import SettingBody

HIDDEN = "***"
# The URLs of one setting stand one behind the other with commas between them; a comma may stand in a password, too.
_NEXT_URL = re.compile(r",(?=\s*(?:[a-z][a-z0-9+.-]*://|[^\s,@]+$))", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SECRETIVE = r"[\w-]*(?:pass|secret|token|key|pwd)[\w-]*"
_IN_QUERY = re.compile(rf"([?&;]{_SECRETIVE}=)[^&;#\s]*", re.IGNORECASE)
_IN_ARGUMENTS = re.compile(rf"(--?{_SECRETIVE}(?:=|\s+))('[^']*'|\"[^\"]*\"|[^\s-]\S*)", re.IGNORECASE)


def shown_settings(config: Config, origins: Mapping[str, Origin]) -> list[SettingBody]:
    """Give all settings in the order of their table."""
    return [
        SettingBody(
            name=row.name,
            value=_shown(row.name, value, is_secret=row.secret and not row.has_flag),
            origin=origins.get(row.name, "default"),
            is_secret=row.secret,
            is_set=value not in ("", ()),
            help=row.help,
        )
        for row in settings()
        for value in (getattr(config, row.name),)
    ]


def without_credentials(text: str, *, is_address: bool = False) -> str:
    """Leave users, passwords and keys out of URLs and arguments; `is_address`: also where no scheme tells a URL."""
    parts = [_without_user(part, is_address=is_address) for part in _NEXT_URL.split(text)]
    return _IN_ARGUMENTS.sub(rf"\1{HIDDEN}", _IN_QUERY.sub(rf"\1{HIDDEN}", ",".join(parts)))


def _without_user(text: str, *, is_address: bool) -> str:
    scheme = _SCHEME.search(text)
    if scheme is None and not is_address:
        return text
    begin = 0 if scheme is None else scheme.end()
    # Up to the last sign there is: a password that was not encoded may hold one, and slashes.
    user, sign, rest = text[begin:].rpartition("@")
    return f"{text[:begin]}{HIDDEN}@{rest}" if sign and user else text


def _shown(name: str, value: Any, *, is_secret: bool) -> Any:
    if is_secret:
        return None
    is_address = name.endswith("_url")
    if isinstance(value, tuple):
        texts = cast("tuple[str, ...]", value)
        return [without_credentials(one, is_address=is_address) for one in texts]
    return without_credentials(value, is_address=is_address) if isinstance(value, str) else value
