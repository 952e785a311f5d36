"""From what a client calls a file to the caller's record of it."""

from fireside.domain.assets import Asset, FileName, Folder
from fireside.domain.errors import NotFound
from fireside.domain.ids import BlobHash, UserId
from fireside.graphs.files import parse_file_value
from fireside.store.store import Store


async def find_file(store: Store, user_id: UserId, *, filename: str, subfolder: str, folder: Folder) -> Asset:
    """Find the user's file; `filename` may name its folder (`a.png [input]`), or the bytes (`blake3:` and their hash).

    Raises `BadRequest` for a name that leads elsewhere and `NotFound` for one that is nobody's or somebody else's.
    """
    said = parse_file_value(filename, default_type=folder)
    if said.hash is not None:
        found = await store.asset_by_hash(user_id, BlobHash(said.hash))
    else:
        place = "/".join(part for part in (subfolder, said.subfolder) if part)
        found = await store.asset_by_file(user_id, FileName.checked(Folder(said.type), place, said.name))
    if found is None:
        raise NotFound("There is no such file.")
    return found
