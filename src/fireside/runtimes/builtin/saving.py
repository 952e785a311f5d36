"""Where saved files go: the folder of the run, whatever the prefix says."""

import re
from datetime import datetime

from fireside.runtimes.builtin.context import Context
from fireside.runtimes.builtin.node import SavedFile

_DATE = re.compile(r"%date:([^%]*)%")
_DATE_PART = re.compile(r"yyyy|yy|MM?|dd?|hh?|mm?|ss?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_SEPARATORS = re.compile(r"[/\\]")
_PART_BYTES = 120
_MAX_PARTS = 16
_NAMELESS = "ComfyUI"


def new_file(
    context: Context, prefix: str, kind: str, suffix: str, *, size: tuple[int, int], batch_number: int | None = None
) -> SavedFile:
    """Choose the next free name for a prefix, make its folder, and give both.

    `size` is width and height, for `%width%` and `%height%`; `batch_number` is for `%batch_num%`, which stays as it is
    without one. Sub-folders of the prefix are kept; what would lead out of the folder is dropped from it.
    """
    scope = context.scope
    *folders, stem = _clean(_fill_in(prefix, size, scope.now))
    subfolder = "/".join(folders)
    place = (kind, subfolder, stem)
    number = scope.counters[place] = scope.counters.get(place, 0) + 1
    if batch_number is not None:
        stem = stem.replace("%batch_num%", str(batch_number))
    filename = f"{stem}_{number:05}_{suffix}"
    folder = scope.folder.joinpath(kind, *folders)
    folder.mkdir(parents=True, exist_ok=True)
    return SavedFile(filename=filename, subfolder=subfolder, type=kind, path=folder / filename)


def _fill_in(prefix: str, size: tuple[int, int], now: datetime) -> str:
    words = {
        "width": str(size[0]),
        "height": str(size[1]),
        "year": f"{now.year:04}",
        "month": f"{now.month:02}",
        "day": f"{now.day:02}",
        "hour": f"{now.hour:02}",
        "minute": f"{now.minute:02}",
        "second": f"{now.second:02}",
    }
    for word, value in words.items():
        prefix = prefix.replace(f"%{word}%", value)
    return _DATE.sub(lambda found: _DATE_PART.sub(lambda part: _date_part(part[0], now), found[1]), prefix)


def _date_part(part: str, now: datetime) -> str:
    if part == "yyyy":
        return f"{now.year:04}"
    value = {"y": now.year % 100, "M": now.month, "d": now.day, "h": now.hour, "m": now.minute, "s": now.second}
    return f"{value[part[0]]:0{len(part)}}"


def _clean(prefix: str) -> list[str]:
    parts = [_clean_part(part) for part in _SEPARATORS.split(prefix)]
    kept = [part for part in parts if part not in {"", ".", ".."}]
    return kept[-_MAX_PARTS:] or [_NAMELESS]


def _clean_part(part: str) -> str:
    plain = _UNPRINTABLE.sub("", part).strip().encode("utf-8", "replace")
    return plain[:_PART_BYTES].decode("utf-8", "ignore").strip()
