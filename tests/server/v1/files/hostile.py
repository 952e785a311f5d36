"""Bytes that would run in our origin if we let a browser run them.

Each does the same when it runs: it asks for `/ran/<name>`, so a test sees at the server whether anything ran.
"""

import io
import zipfile
from io import BytesIO

from PIL import Image


def _script(name: str) -> str:
    return f"new Image().src='/ran/{name}';fetch('/ran/{name}');document.title='ran';"


def _polyglot(name: str) -> bytes:
    """A GIF that can be shown, whose comment is a page, and whose end is an archive."""
    gif, archive = BytesIO(), BytesIO()
    page = f"--><html><script>{_script(name)}</script></html><!--".encode()
    Image.new("P", (8, 8)).save(gif, format="GIF", comment=page)
    with zipfile.ZipFile(archive, "w") as jar:
        jar.writestr("Main.class", b"\xca\xfe\xba\xbe")
    return gif.getvalue() + archive.getvalue()


def _script_gif(name: str) -> bytes:
    """Bytes that begin as a GIF and are a script: its first word is a variable."""
    return b"GIF89a=0;" + _script(name).encode()


def _xml(name: str, sheet: str) -> bytes:
    return f'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="{sheet}"?><a>{name}</a>'.encode()


def _stylesheet(name: str) -> bytes:
    return (
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
        f"<html><script>{_script(name)}</script></html></xsl:template></xsl:stylesheet>"
    ).encode()


def _svg(name: str) -> bytes:
    script = _script(name)
    return f'<svg xmlns="http://www.w3.org/2000/svg" onload="{script}"><script>{script}</script></svg>'.encode()


def _html(name: str) -> bytes:
    return f"<!doctype html><script>{_script(name)}</script>".encode()


def _zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", content)
    return packed.getvalue()


STYLESHEET = "sheet.xslt"
RUNNING = {
    "page.html": _html("page.html"),
    "bom.html": b"\xef\xbb\xbf" + _html("bom.html"),
    "wide.html": _html("wide.html").decode().encode("utf-16"),
    "page.htm.txt": _html("page.htm.txt"),
    "no-ending": _html("no-ending"),
    "picture.svg": _svg("picture.svg"),
    "doctype.svg": b'<?xml version="1.0"?><!DOCTYPE svg>' + _svg("doctype.svg"),
    "script.js": _script("script.js").encode(),
    "module.mjs": _script("module.mjs").encode() + b"export default 1",
    "style.css": b"body{background:url('/ran/style.css')}",
    "data.xml": _xml("data.xml", f"/api/view?type=input&filename={STYLESHEET}"),
    STYLESHEET: _stylesheet(STYLESHEET),
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><script>'
    + _script("page.xhtml").encode()
    + b"</script></html>",
    "mail.mhtml": b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + _html("mail.mhtml"),
    "book.pdf": b"%PDF-1.4\n" + _html("book.pdf"),
    "archive.jar": _zip(_html("archive.jar")),
    "worker.json": _html("worker.json"),
}
"""By name, what a browser would run if we called it what its name says; none of it is a picture."""

POLYGLOTS = {"polyglot.gif": _polyglot("polyglot.gif"), "polyglot.html": _polyglot("polyglot.html")}
"""Pictures that are something else besides; they are shown as pictures."""

MISLABELED = {
    "html.png": _html("html.png"),
    "svg.jpg": _svg("svg.jpg"),
    "script.gif": _script_gif("script.gif"),
    "html.webp": b"RIFF\0\0\0\0WEBP" + _html("html.webp"),
}
"""What says picture by its name and is none; it cannot be uploaded, but a worker may send it."""
