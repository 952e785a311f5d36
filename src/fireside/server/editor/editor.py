"""What this server has of the editor: its files, example workflows, help, and browser scripts of node packs."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fireside.config import Config
from fireside.domain.ids import UserId
from fireside.server.editor.installed import editor_folder, help_folder, template_folders
from fireside.server.editor.packs import OWN, packs_of
from fireside.server.editor.static_files import StaticFiles

_OWN_SCRIPTS = Path(__file__).parent / "own"
_OWN_SCRIPT = "fireside.js"


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """The editor of a server; without `files` there is none."""

    files: StaticFiles | None
    own: StaticFiles
    templates: tuple[StaticFiles, ...]
    help: StaticFiles | None
    packs: Mapping[str, StaticFiles]
    mark_key: bytes

    @classmethod
    def of(cls, config: Config, mark_key: bytes) -> "Editor":
        """Put it together from what is installed and what the settings name."""
        packed = Path(config.data_dir) / "cache" / "editor"
        folder, texts = editor_folder(config), help_folder()
        return cls(
            files=None if folder is None else StaticFiles(folder, packed),
            own=StaticFiles(_OWN_SCRIPTS, packed),
            templates=tuple(StaticFiles(one, packed) for one in template_folders(config)),
            help=None if texts is None else StaticFiles(texts, packed),
            packs=packs_of(config.editor_extensions, packed),
            mark_key=mark_key,
        )

    @property
    def own_scripts(self) -> list[str]:
        """The addresses of our own scripts, which only the editor has a use for."""
        return [f"/extensions/{OWN}/{_OWN_SCRIPT}"] if self.files is not None else []

    def mark_of(self, user_id: UserId) -> str:
        """Give the mark that a browser carries when all that the editor has left in it is this user's."""
        return hmac.new(self.mark_key, str(user_id).encode(), sha256).hexdigest()[:32]
