"""Browser scripts of node packs.

They run as every user who opens the editor, so they are taken from folders that the operator names and from nowhere
else: no worker, and nobody who gets hold of one, can put a script into other people's browsers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from fireside.server.editor.static_files import StaticFiles

OWN = "fireside"
"""The name below which our own script lies; no pack's folder takes its place, nor that of the editor's own."""
RESERVED = frozenset({OWN, "core"})


def packs_of(allowed: Sequence[str], packed: Path) -> Mapping[str, StaticFiles]:
    """Read the setting, in which each value is `NAME=FOLDER`."""
    named = (one.partition("=") for one in allowed)
    folders = {name: Path(folder).expanduser() for name, _, folder in named}
    return {name: StaticFiles(folder, packed) for name, folder in folders.items() if name not in RESERVED}


async def scripts_of(packs: Mapping[str, StaticFiles]) -> list[str]:
    """Give the addresses of all scripts, as the editor loads them: every file whose name ends in `.js`."""
    return [
        quote(f"/extensions/{name}/{file}")
        for name, files in packs.items()
        for file in sorted(await files.names())
        if file.endswith(".js")
    ]
