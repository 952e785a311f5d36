"""Which commit a folder is at, read from `.git` without needing git."""

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_MOST_LINKS = 5
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REMOTE_URL = re.compile(r'\[remote "origin"\][^\[]*?^\s*url\s*=\s*(\S+)', re.MULTILINE)


def describe(folder: Path) -> dict[str, str]:
    """Give `commit` and `origin` of a checkout, as far as they can be told; nothing for a folder that is none."""
    git = _git_folder(folder)
    if git is None:
        return {}
    common = git / _read(git / "commondir") if (git / "commondir").is_file() else git
    match = _REMOTE_URL.search(_read(common / "config"))
    found = {"commit": _commit(git, common), "origin": _without_secrets(match[1]) if match else ""}
    return {name: value for name, value in found.items() if value}


def _git_folder(folder: Path) -> Path | None:
    git = folder / ".git"
    if git.is_file():
        # A worktree or a submodule.
        _, _, elsewhere = _read(git).partition("gitdir:")
        git = folder / elsewhere.strip()
    return git if (git / "HEAD").is_file() else None


def _commit(git: Path, common: Path) -> str:
    value = _read(git / "HEAD")
    for _ in range(_MOST_LINKS):
        if not value.startswith("ref:"):
            break
        name = value[len("ref:") :].strip()
        value = _read(git / name) or _read(common / name) or _packed(common, name)
    return value if _COMMIT.fullmatch(value) else ""


def _packed(git: Path, name: str) -> str:
    for line in _read(git / "packed-refs").splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return ""


def _without_secrets(url: str) -> str:
    """Take a token out that somebody cloned with."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) if parts.scheme else url


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
