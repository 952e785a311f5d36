"""The workflows that users have saved in the editor, by name: where they lie, and what they hold.

A workflow's name is its path below the editor's folder, without its ending. What a file holds is read once while it is
in use; it is known by the hash of its bytes, so it is never out of date.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from difflib import get_close_matches

from fireside.blobs.base import Blobs
from fireside.config import Config
from fireside.domain.errors import NotFound, Refused, TooLarge
from fireside.domain.ids import BlobHash, UserId
from fireside.domain.user_files import FilePath, UserFile
from fireside.graphs.interface.saved import SavedWorkflow, read_saved
from fireside.store.store import Store

_FOLDER = "workflows"
_ENDING = ".json"
_KEPT_BYTES = 32 * 1024 * 1024
_MOST_COMPARED = 1000
_SHOWN_CHARACTERS = 200


class SavedWorkflows:
    """Finds and reads saved workflows."""

    def __init__(self, store: Store, blobs: Blobs, config: Config) -> None:
        self._store = store
        self._blobs = blobs
        self._config = config
        self._read: OrderedDict[BlobHash, tuple[SavedWorkflow, int]] = OrderedDict()
        self._read_bytes = 0

    async def find(self, user_id: UserId, name: str) -> UserFile:
        """Find the user's workflow of this name; `NotFound`, with a name that is alike, if there is none."""
        wanted = name.removesuffix(_ENDING)
        whole = f"{_FOLDER}/{wanted}{_ENDING}"
        try:
            path = FilePath.checked(whole, max_depth=self._config.max_userdata_depth)
        except Refused as error:
            raise _not_found(wanted, ()) from error
        # One name has one address: another spelling of a path is none.
        is_name = path.text == whole and _is_workflow(whole)
        file = await self._store.user_file(user_id, path) if is_name else None
        if file is None:
            known = await self.page(user_id, "", limit=_MOST_COMPARED)
            raise _not_found(wanted, [name_of(one) for one in known])
        return file

    async def page(self, user_id: UserId, after: str, *, limit: int) -> Sequence[UserFile]:
        """List the user's workflows by name, behind that name."""
        found: list[UserFile] = []
        last = f"{_FOLDER}/{after}{_ENDING}" if after else ""
        while len(found) < limit:
            files = await self._store.user_files(user_id, _FOLDER, recurse=True, limit=limit, after=last)
            found += [one for one in files if _is_workflow(one.path.text)]
            if len(files) < limit:
                break
            last = files[-1].path.text
        return found[:limit]

    async def read(self, file: UserFile) -> SavedWorkflow:
        """Read what a file holds, which nobody may change; raises `InvalidGraph` for what is no workflow."""
        known = self._read.get(file.hash)
        if known is not None:
            self._read.move_to_end(file.hash)
            return known[0]
        if file.size_bytes > self._config.max_body_bytes:
            raise TooLarge(f"The workflow has more than the {self._config.max_body_bytes} bytes that are taken.")
        content = b"".join([chunk async for chunk in self._blobs.read(file.hash)])
        saved = await asyncio.to_thread(read_saved, content)
        self._keep(file.hash, saved, len(content))
        return saved

    def _keep(self, blob_hash: BlobHash, saved: SavedWorkflow, size_bytes: int) -> None:
        if blob_hash in self._read:
            return
        self._read[blob_hash] = (saved, size_bytes)
        self._read_bytes += size_bytes
        while self._read_bytes > _KEPT_BYTES and len(self._read) > 1:
            _, (_, dropped_bytes) = self._read.popitem(last=False)
            self._read_bytes -= dropped_bytes


def name_of(file: UserFile) -> str:
    """Give the name of a workflow by its file."""
    return file.path.text.removeprefix(f"{_FOLDER}/").removesuffix(_ENDING)


def _is_workflow(path: str) -> bool:
    # The editor keeps its own notes there too, under names that begin with a dot.
    return path.endswith(_ENDING) and not any(part.startswith(".") for part in path.split("/"))


def _not_found(name: str, known: Sequence[str]) -> NotFound:
    shown = name[:_SHOWN_CHARACTERS].encode(errors="replace").decode()
    alike = get_close_matches(shown, known, n=1)
    hint = f"; did you mean {alike[0]!r}?" if alike else ""
    return NotFound(f"You have no saved workflow {shown!r}{hint}")
