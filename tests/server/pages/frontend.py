"""A folder that looks to a server like the official editor's files, with bytes that tests can tell apart."""

from pathlib import Path

HASHED = "assets/index-B2rHQ9Sn.js"
PAGE = b"<!doctype html><title>The editor</title>" + b" " * 500
SCRIPT = b"export const answer = 42; // " + b"x" * 2000


def write_editor(folder: Path) -> Path:
    """Write the files and give their folder."""
    files = {
        "index.html": PAGE,
        HASHED: SCRIPT,
        "assets/images/comfy-icon-512.png": b"\x89PNG picture",
        "assets/evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "fonts/inter.woff2": b"wOF2 font",
        "scripts/app.js": b"export const app = window.comfyAPI.app.app;",
        "extensions/core/widgets.js": b"export {};",
        "materialdesignicons.min.css": b".mdi{}",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
