"""What this server has of the editor: its files, example workflows, help, and browser scripts of node packs."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fireside.config import Config
from fireside.domain.ids import UserId
from fireside.server.editor.installed import editor_folder
from fireside.server.editor.static_files import StaticFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """The editor of a server; without `files` there is none."""

    files: StaticFiles | None
    mark_key: bytes

    @classmethod
    def of(cls, config: Config, mark_key: bytes) -> "Editor":
        """Put it together from what is installed and what the settings name."""
        packed = Path(config.data_dir) / "cache" / "editor"
        folder = editor_folder(config)
        return cls(files=StaticFiles(folder, packed) if folder is not None else None, mark_key=mark_key)

    def mark_of(self, user_id: UserId) -> str:
        """Give the mark that a browser carries when all that the editor has left in it is this user's."""
        return hmac.new(self.mark_key, str(user_id).encode(), sha256).hexdigest()[:32]
