"""The official editor in a real Chromium, before a real server: signed in by a link, a workflow run, another user."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Request, Response, expect, sync_playwright
from tests.conftest import MakeServer, ServerProcess

from fireside.server.editor.installed import EDITOR_PACKAGE, package_folder

pytestmark = [pytest.mark.browser, pytest.mark.once]
_CHROMIUM = Path("/usr/bin/chromium")
_SCREENSHOTS = Path(os.environ.get("FIRESIDE_SCREENSHOTS", "test-artefacts/editor"))
_LONG = 120_000
_READY = "() => window.app?.vueAppReady && window.app.api.clientId && window.app.api.socket.readyState === 1"
_COMPLAINTS = (
    "[data-testid=error-overlay], [data-testid=error-dialog], [data-testid=toast], .p-toast-message, [role=alertdialog]"
)
_LISTEN = """() => {
    window.heard = [];
    window.app.api.addEventListener("progress_state", (event) => window.heard.push(event.detail));
}"""
_RUN = "async (graph) => { await window.app.loadApiJson(graph, 'run'); }"
_TOTAL = "async () => (await (await fetch('/api/jobs')).json()).pagination.total"
_BLUR = {"blur_radius": 31, "sigma": 10.0}
_GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1, "color": 255}},
    # Long enough to be told of however late one listens.
    "2": {"class_type": "FiresideSleep", "inputs": {"image": ["1", 0], "seconds": 3.0, "steps": 12}},
    "3": {"class_type": "ImageBlur", "inputs": {**_BLUR, "image": ["2", 0]}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "from_the_editor"}},
}
# A worker has nothing of the one to use again for the other, whichever runs first.
_OTHER_GRAPH = {
    **_GRAPH,
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
}
_MADE = "from_the_editor_00001_.png"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, make_server: MakeServer) -> Iterator[ServerProcess]:
    if not _CHROMIUM.exists() or package_folder(EDITOR_PACKAGE, "static") is None:
        reason = "there is no Chromium here, or no editor, which `make install` brings"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with make_server(tmp_path_factory.mktemp("editor") / "data") as server:
        for user in ("ann", "bob", "cleo"):
            server.add_user(user)
        yield server


@pytest.fixture(scope="module")
def browser(server: ServerProcess) -> Iterator[Browser]:
    expect.set_options(timeout=_LONG)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"], timeout=_LONG)
        yield browser
        browser.close()


class Watched:
    """A page, and what went wrong with what it asked for and showed."""

    def __init__(self, page: Page, server: ServerProcess) -> None:
        self.page, self._wrong = page, list[str]()
        self._host = urlsplit(server.url).netloc
        page.set_default_timeout(_LONG)
        page.on("request", self._look)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("pageerror", self._broke)
        page.on("console", self._said)
        page.on("dialog", self._asked)

    def picture(self, name: str) -> None:
        """Keep what is seen now, for people; and hold that nothing went wrong until now."""
        _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=_SCREENSHOTS / f"{name}.png")
        assert self._wrong == []
        expect(self.page.locator(_COMPLAINTS).filter(visible=True)).to_have_count(0)

    def _look(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != self._host:
            self._wrong.append(f"external: {request.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left, or has no use for the body of an answer, gives up by itself.
        if request.failure != "net::ERR_ABORTED":
            self._wrong.append(f"{request.failure}: {request.url}")

    def _answered(self, answer: Response) -> None:
        # Pictures of templates are in packages of their own, and are drawn as a gradient without these.
        if answer.status >= 400 and not urlsplit(answer.url).path.startswith("/templates/"):
            self._wrong.append(f"{answer.status}: {answer.url}")

    def _broke(self, error: Error) -> None:
        self._wrong.append(f"script: {error}")

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self._wrong.append(message.text)

    def _asked(self, dialog: Dialog) -> None:
        self._wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="module")
def watched(browser: Browser, server: ServerProcess) -> Iterator[Watched]:
    """One browser window, which several users have in turn."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Watched(context.new_page(), server)
    context.close()


def _sign_in(page: Page, server: ServerProcess, user: str) -> None:
    page.goto(server.login_link(user))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_function(_READY)
    # What a first start shows above the canvas.
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def _open_history(page: Page) -> None:
    page.get_by_test_id("queue-overlay-toggle").click()
    expect(page.get_by_test_id("queue-progress-overlay")).to_contain_text("Job Queue")


def test_a_workflow_is_run_from_the_editor_and_is_nobody_elses(watched: Watched, server: ServerProcess) -> None:
    page = watched.page
    page.goto(server.url)
    assert urlsplit(page.url).path == "/login"
    _sign_in(page, server, "ann")
    watched.picture("start-1280")

    page.evaluate(_LISTEN)
    page.evaluate(_RUN, _GRAPH)
    page.get_by_test_id("queue-button").click()
    _open_history(page)
    expect(page.get_by_test_id("job-assets-list")).to_contain_text(_MADE)
    states = {(node, at["state"]) for event in page.evaluate("window.heard") for node, at in event["nodes"].items()}
    assert {node for node, state in states if state == "finished"} >= {"1", "2", "3"}
    assert ("2", "running") in states
    assert page.evaluate(_TOTAL) == 1
    watched.picture("history-1280")
    page.evaluate("() => window.app.extensionManager.command.execute('Workspace.ToggleSidebarTab.assets')")
    expect(page.locator("img[src*='from_the_editor']").first).to_be_visible()
    watched.picture("assets-1280")
    page.set_viewport_size({"width": 390, "height": 844})
    watched.picture("assets-390")
    page.set_viewport_size({"width": 1280, "height": 800})

    page.evaluate("() => localStorage.setItem('draft', 'of ann')")
    page.evaluate("() => window.app.extensionManager.command.execute('Fireside.SignOut')")
    page.wait_for_url("**/login?signed-out")
    page.wait_for_function("() => localStorage.length + sessionStorage.length === 0 && window.name === ''")

    page.evaluate("() => localStorage.setItem('draft', 'of ann')")
    _sign_in(page, server, "bob")
    assert page.evaluate("() => localStorage.getItem('draft')") is None
    assert page.evaluate(_TOTAL) == 0
    _open_history(page)
    watched.picture("bob-1280")
    assert page.get_by_text("from_the_editor").count() == 0
    assert page.request.get(f"{server.url}/api/view?filename={_MADE}&type=output").status == 404


def test_a_start_without_drafts_has_no_warning_of_nodes_that_no_worker_has(
    browser: Browser, server: ServerProcess
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    watched = Watched(context.new_page(), server)
    page = watched.page
    page.request.post(server.login_link("cleo"), headers={"Origin": server.url})
    page.request.post(f"{server.url}/api/settings/Comfy.TutorialCompleted", data="true", headers={"Origin": server.url})
    page.goto(server.url)
    page.wait_for_function(_READY)
    page.wait_for_function("() => window.app.extensionManager.workflow.activeWorkflow")

    watched.picture("again-1280")
    assert page.evaluate("() => window.app.rootGraph.nodes.length") == 0
    context.close()


def test_a_job_is_opened_in_the_editor_by_its_address(browser: Browser, server: ServerProcess) -> None:
    job = server.client(server.add_user("dora")).post("/api/prompt", json={"prompt": _OTHER_GRAPH}).json()["prompt_id"]
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    watched = Watched(context.new_page(), server)
    page = watched.page
    page.request.post(server.login_link("dora"), headers={"Origin": server.url})
    page.request.post(f"{server.url}/api/settings/Comfy.TutorialCompleted", data="true", headers={"Origin": server.url})

    page.goto(f"{server.url}/?job={job}")

    page.wait_for_function("() => window.app?.rootGraph?.nodes.some((node) => node.type === 'ImageBlur')")
    assert page.evaluate("() => window.app.rootGraph.nodes.map((node) => node.type).toSorted()") == sorted(
        str(node["class_type"]) for node in _OTHER_GRAPH.values()
    )
    page.wait_for_function("() => !location.search.includes('job=')")
    watched.picture("job-1280")
    context.close()
