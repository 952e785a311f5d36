"""The official editor in a real browser, asked to do what `fireside.graphs.editor` does.

It is served as it comes, from a server that knows no more than it needs to start; its own `graphToPrompt` answers.
"""

import json
import mimetypes
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

_CHROMIUM = Path("/usr/bin/chromium")
_READY = "() => window.app && window.app.vueAppReady"
_READY_MILLISECONDS = 120_000
_CONVERT = """async (text) => {
    await window.app.loadGraphData(JSON.parse(text));
    // Types of outputs that follow their inputs are settled with the next picture.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return JSON.stringify((await window.app.graphToPrompt()).output);
}"""
_NO_JOBS = {"jobs": [], "pagination": {"offset": 0, "limit": 200, "total": 0, "has_more": False}}
_SYSTEM = {"os": "linux", "comfyui_version": "0.3.75", "argv": ["--disable-api-nodes"], "ram_total": 1, "ram_free": 1}
_SETTINGS = {"Comfy.TutorialCompleted": True, "Comfy.Workflow.Persist": False}
_ANSWERS: Mapping[str, Any] = {
    "/api/users": {"storage": "server", "migrated": True},
    "/api/system_stats": {"system": _SYSTEM, "devices": []},
    "/api/settings": _SETTINGS,
    "/api/extensions": [],
    "/api/features": {},
    "/api/i18n": {},
    "/api/global_subgraphs": {},
    "/api/userdata": [],
    "/api/jobs": _NO_JOBS,
    "/api/experiment/models": [],
    "/api/prompt": {"exec_info": {"queue_remaining": 0}},
}


@dataclass(frozen=True)
class OfficialEditor:
    """An open editor."""

    page: Page

    def convert(self, workflow: Any) -> dict[str, Any]:
        """Open a workflow and give the graph that the editor would submit."""
        return json.loads(self.page.evaluate(_CONVERT, json.dumps(workflow)))


@contextmanager
def open_editor(packages: Path, object_info: Mapping[str, Any]) -> Generator[OfficialEditor]:
    """Open the editor whose files lie among the Python packages."""
    if not _CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Chromium here")
    answers = {path: json.dumps(answer).encode() for path, answer in _ANSWERS.items()}
    answers["/api/object_info"] = json.dumps(object_info).encode()
    with (
        _serving(packages / "comfyui_frontend_package" / "static", answers) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox"], timeout=_READY_MILLISECONDS
        )
        # What it draws is no matter here, and drawing is most of its work.
        page = browser.new_page(viewport={"width": 320, "height": 240})
        page.set_default_timeout(_READY_MILLISECONDS)
        page.goto(address)
        page.wait_for_function(_READY)
        page.wait_for_function(
            "(names) => names.every((name) => window.LiteGraph.registered_node_types[name])",
            arg=list(object_info),
        )
        yield OfficialEditor(page)
        browser.close()


@contextmanager
def _serving(static: Path, answers: Mapping[str, bytes]) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            pass

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            file = static / (path.lstrip("/") or "index.html")
            if path in answers:
                self._answer(answers[path], "application/json")
            elif file.is_file():
                kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
                self._answer(file.read_bytes(), kind or "application/octet-stream")
            else:
                self._answer(b"{}", "application/json", status=404)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self._answer(b"{}", "application/json")

        def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
