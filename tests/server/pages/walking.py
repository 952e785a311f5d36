"""Where every page is, and what a walk over them holds it to. A page that is new has to say here where it is seen."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from tests.server.pages.browsing import DESK, PHONE, Visit, node, slow, submit, texts, wait_until_ended

from fireside.server.routes import Refusal
from fireside.server.tables import ROUTES

SCRIPT = "<script>window.ran=1</script>\"'><img src=x onerror='window.ran=1'>"
_FILE = "<img src=x onerror=window.ran=1>"
_ROWS = [route for route in ROUTES if route.refusal is Refusal.PAGE]
FILES = frozenset(
    {
        "/favicon.svg",
        "/pages/{file}",
        "/signed-out.js",
        "/other-user.js",
        "/user.css",
        "/materialdesignicons.min.css",
        "/assets/{file:path}",
        "/fonts/{file:path}",
        "/cursor/{file:path}",
        "/scripts/{file:path}",
        "/extensions/{file:path}",
        "/templates/{file:path}",
        "/docs/{file:path}",
        "/dashboard/jobs/{job_id}/files.zip",
        "/dashboard/jobs/{job_id}/workflow.json",
        "/dashboard/jobs/{job_id}/picture",
    }
)
"""Rows of pages that give a file."""
PAGES: Mapping[str, tuple[str, ...]] = {
    "/": ("/",),
    "/login": ("/login", "/login?signed-out", "/login?next=/{script}"),
    "/login/{token}": ("/login/{script}",),
    "/password/{token}": ("/password/{password_token}", "/password/{script}"),
    "/invite/{token}": ("/invite/{invitation_token}", "/invite/{named_token}", "/invite/{script}"),
    "/openid": ("/openid", "/openid?invitation={script}&next={script}"),
    "/openid/callback": ("/openid/callback?error={script}&error_description={script}&state={script}",),
    "/account": ("/account", "/account?changed"),
    "/dashboard": (
        "/dashboard",
        "/dashboard?status=cancelled&output_type=video",
        "/dashboard?workflow_id={script}",
        "/dashboard?status={script}",
        "/dashboard?after={script}",
    ),
    "/dashboard/cards": (),
    "/dashboard/jobs/{job_id}": (
        "/dashboard/jobs/{failed}",
        "/dashboard/jobs/{made}",
        "/dashboard/jobs/{wrote}",
        "/dashboard/jobs/{labeled}",
        "/dashboard/jobs/{runs}",
        "/dashboard/jobs/{waits}",
        "/dashboard/jobs/{script}",
    ),
    "/dashboard/everybody": ("/dashboard/everybody", "/dashboard/everybody?after={script}"),
    "/dashboard/system": ("/dashboard/system",),
    "/dashboard/audit": ("/dashboard/audit", "/dashboard/audit?user={script}", "/dashboard/audit?cursor={script}"),
    "/dashboard/fleet": ("/dashboard/fleet", "/dashboard/fleet?span={script}"),
    "/dashboard/models": ("/dashboard/models?added=loras/ink.safetensors", "/dashboard/models?added={script}"),
    "/dashboard/usage": (
        "/dashboard/usage",
        "/dashboard/usage?user=*",
        "/dashboard/usage?from=2001-01-01&to=2001-01-31",
        "/dashboard/usage?user={script}",
        "/dashboard/usage?from={script}",
    ),
    "/dashboard/people": ("/dashboard/people",),
    "/dashboard/people/{name}": (
        "/dashboard/people/eve",
        "/dashboard/people/admin?changed",
        "/dashboard/people/{script}",
    ),
}
"""The addresses at which the page of a row is seen: with all that is on it, with little, and with what is not there."""
FOR_STRANGERS = ("/login", "/password", "/invite", "/openid")
SHOWS_USERS_WORDS = frozenset(
    {
        "/account",
        "/dashboard",
        "/dashboard/everybody",
        "/dashboard/jobs/{job_id}",
        "/dashboard/usage",
        "/dashboard/people/{name}",
    }
)
PATHS = sorted(row.path for row in _ROWS if row.method == "GET" and row.path not in FILES)
FORMS = sorted(row.path for row in _ROWS if row.method == "POST")
VIEWS: tuple[tuple[int, Any], ...] = ((DESK, "light"), (PHONE, "dark"))
"""Each width and each light once: neither has rules that hold with one of the other's alone."""

_FAILS = {
    "1": node("EmptyImage", width=8, height=8, batch_size=1, color=0),
    SCRIPT: {**node("FiresideFail", image=["1", 0], message=SCRIPT, how="raise"), "_meta": {"title": SCRIPT}},
    "3": node("SaveImage", images=[SCRIPT, 0], filename_prefix="x"),
}
_MAKES = {
    "1": {**node("EmptyImage", width=64, height=48, batch_size=2, color=0x2C5E8F), "_meta": {"title": SCRIPT}},
    SCRIPT: node("SaveImage", images=["1", 0], filename_prefix=_FILE),
}
_EVERYWHERE: dict[str, Any] = {
    "client_id": SCRIPT,
    "workflow_id": SCRIPT,
    "extra_data": {SCRIPT: SCRIPT, "extra_pnginfo": {"workflow": {"id": SCRIPT, "nodes": []}}},
}


def fill(client: httpx.Client) -> dict[str, str]:
    """Give a user jobs of every kind whose every word is a script; each by what it did."""
    upload = client.post("/api/upload/image", files={"image": (f"{_FILE}.png", _picture())}, data={"type": "input"})
    assert upload.status_code == 200, upload.text
    jobs = {
        "failed": submit(client, _FAILS, **_EVERYWHERE),
        "made": submit(client, _MAKES, **_EVERYWHERE),
        "wrote": submit(client, texts(SCRIPT), **_EVERYWHERE),
    }
    labeled = client.post("/api/v2/jobs", json={"workflow": texts(SCRIPT, "more"), "metadata": {"note": SCRIPT}})
    assert labeled.status_code == 201, labeled.text
    jobs["labeled"] = labeled.json()["id"]
    wait_until_ended(client, list(jobs.values()))
    return {**jobs, "runs": submit(client, slow(2400)), "waits": submit(client, slow(2400))}


def addresses_of(path: str, names: Mapping[str, str]) -> list[str]:
    """Give the addresses at which a page is seen."""
    return [address.format_map({name: quote(text, safe="") for name, text in names.items()}) for address in PAGES[path]]


async def markup_of_users(visit: Visit) -> list[str]:
    """What of the words of users became markup, or ran."""
    return await visit.page.evaluate(
        """() => [...document.querySelectorAll("img[src=x], script:not([src]), [onerror]")].map((one) => one.outerHTML)
            .concat("ran" in window ? ["it ran"] : [])"""
    )


async def moving_parts(visit: Visit) -> list[str]:
    """What on the page moves, though its reader has asked for rest."""
    return await visit.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => {
            const style = getComputedStyle(one);
            return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => time !== "0s");
        }).map((one) => one.outerHTML.slice(0, 80))"""
    )


async def walk_by_keyboard(visit: Visit) -> list[str]:
    """Go from the top of the page to its end by the tab key, and tell what is wrong with that way."""
    page = visit.page
    # Where a field has the focus at once, the way begins before it all the same.
    await page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    await page.evaluate(_STOPS)
    wrong: list[str] = []
    for number in range(_MOST_STOPS):
        await page.keyboard.press("Tab")
        stop: dict[str, Any] | None = await page.evaluate("window.stop()")
        if stop is None:
            break
        if number == 0 and stop["text"] != "Skip to the content":
            wrong.append(f"does not begin with the way past the navigation: {stop['html']}")
        wrong += [f"{what}: {stop['html']}" for what in ("unseen", "unmarked", "backwards") if stop[what]]
    else:
        wrong.append("the way has no end")
    left: list[str] = await page.evaluate("window.left()")
    return wrong + [f"never reached: {html}" for html in left]


_MOST_STOPS = 300
_STOPS = """() => {
    const kinds = "a[href], button, input, select, textarea, summary, [tabindex]";
    const wanted = new Set([...document.querySelectorAll(kinds)]
        .filter((one) => one !== document.body && one.tabIndex >= 0 && !one.disabled && one.type !== "hidden"
            && one.checkVisibility({ visibilityProperty: true })));
    let first = null, former = null;
    window.stop = () => {
        const one = document.activeElement;
        // Behind the last one is the browser's own bar, or the first one again.
        if (!one || one === document.body || one === first) return null;
        first ??= one;
        const box = one.getBoundingClientRect(), style = getComputedStyle(one), before = former;
        wanted.delete(one);
        former = one;
        return {
            html: one.outerHTML.slice(0, 120),
            text: one.textContent.trim(),
            unseen: box.width < 1 || box.height < 1 || box.bottom < 0 || box.top > innerHeight,
            // The parts of a date mark themselves.
            unmarked: one.type !== "date" && (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2),
            backwards: before?.isConnected && before !== one
                && !(before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING),
        };
    };
    // What is live may have been put in the place of what was there.
    window.left = () => [...wanted].filter((one) => one.isConnected).map((one) => one.outerHTML.slice(0, 120));
}"""


def _picture() -> bytes:
    # The smallest GIF there is.
    return bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
