"""The editor's page and files, as a browser meets them: over the whole edge, with real accounts and a real store."""

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.databases import Databases
from tests.server.pages.frontend import HASHED, PAGE, SCRIPT, write_editor
from tests.server.pages.site import ORIGIN, Site

from fireside.app import assemble
from fireside.config import Config
from fireside.server.edge import build_edge
from fireside.server.editor.editor import Editor
from fireside.server.editor.installed import editor_folder, package_folder
from fireside.server.pages.editor import MARK_COOKIE

# About files of the editor and headers of its page.
pytestmark = pytest.mark.once

_PACKED = {"Accept-Encoding": "gzip"}
_PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    """A site that has the editor."""
    folder = write_editor(tmp_path / "frontend")
    config = msgspec.structs.replace(databases.config(tmp_path / "data"), editor_dir=str(folder))
    async with assemble(config, public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as browser:
            yield Site(assembly.services, browser)


async def _sign_in(site: Site, name: str = "ada") -> None:
    user = await site.sign_in(name)
    site.browser.cookies.set(MARK_COOKIE, site.services.editor.mark_of(user.id))


async def test_a_stranger_is_sent_to_sign_in_and_comes_back(house: Site) -> None:
    assert (await house.browser.get("/")).headers["location"] == "/login"
    sent = await house.browser.get("/?template=a&mode=b")

    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2F%3Ftemplate%3Da%26mode%3Db")
    assert 'name="next" value="/?template=a&amp;mode=b"' in (await house.browser.get(sent.headers["location"])).text


async def test_who_is_signed_in_is_given_the_editor_as_it_comes(house: Site) -> None:
    await _sign_in(house)

    answer = await house.browser.get("/", headers={"If-None-Match": "*"})

    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_editor_can_reach_nothing_but_its_server(house: Site) -> None:
    await _sign_in(house)

    policy = (await house.browser.get("/")).headers["content-security-policy"]
    sources = {part.split()[0]: part.split()[1:] for part in policy.split("; ")}

    assert sources["default-src"] == ["'self'"]
    assert sources["frame-ancestors"] == sources["object-src"] == ["'none'"]
    for of in sources.values():
        assert set(of) <= {"'self'", "'none'", "'unsafe-inline'", "'wasm-unsafe-eval'", "data:", "blob:"}
    assert "'unsafe-inline'" not in (await house.browser.get("/account")).headers["content-security-policy"]


async def test_another_user_begins_with_an_empty_browser(house: Site) -> None:
    await _sign_in(house, "ada")
    house.browser.cookies.delete("fireside_session")
    bob = await house.sign_in("bob")

    page = await house.browser.get("/")

    assert "The editor opens" in page.text
    assert page.text.index('src="/signed-out.js"') < page.text.index('src="/other-user.js"')
    assert f'data-mark="{house.services.editor.mark_of(bob.id)}"' in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    assert (await house.browser.get("/other-user.js")).headers["content-type"].startswith("text/javascript")


async def test_a_file_is_packed_once_and_told_apart_by_its_content(house: Site, tmp_path: Path) -> None:
    first = await house.browser.get(f"/{HASHED}", headers=_PACKED)

    assert (first.content, first.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert int(first.headers["content-length"]) < len(SCRIPT) / 10
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["vary"] == "Accept-Encoding"
    (kept,) = (tmp_path / "data" / "cache" / "editor").glob("*.gz")
    assert gzip.decompress(kept.read_bytes()) == SCRIPT

    known = await house.browser.get(f"/{HASHED}", headers={"If-None-Match": first.headers["etag"]})
    plain = await house.browser.get(f"/{HASHED}", headers=_PLAIN)

    assert (known.status_code, known.content) == (304, b"")
    assert (plain.content, "content-encoding" in plain.headers) == (SCRIPT, False)
    assert plain.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("spoiled", [b"", b"\x1f\x8b half of it"])
async def test_a_packed_file_that_a_power_cut_spoiled_is_made_anew(house: Site, tmp_path: Path, spoiled: bytes) -> None:
    await house.browser.get(f"/{HASHED}", headers=_PACKED)
    (kept,) = (tmp_path / "data" / "cache" / "editor").glob("*.gz")
    kept.write_bytes(spoiled)
    config = house.services.config
    again = replace(house.services, editor=Editor.of(config, b""))

    transport = httpx.ASGITransport(app=build_edge(again))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
        assert (await browser.get(f"/{HASHED}", headers=_PACKED)).content == SCRIPT
    assert gzip.decompress(kept.read_bytes()) == SCRIPT


async def test_files_without_a_hash_in_their_name_are_asked_for_again(house: Site) -> None:
    for path in ("/assets/images/comfy-icon-512.png", "/fonts/inter.woff2", "/scripts/app.js"):
        answer = await house.browser.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await house.browser.get(path, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304


async def test_a_part_of_a_file_can_be_asked_for(house: Site) -> None:
    answer = await house.browser.get("/fonts/inter.woff2", headers={"Range": "bytes=0-3"})

    assert (answer.status_code, answer.content) == (206, b"wOF2")


async def test_a_picture_that_is_a_page_runs_no_scripts(house: Site) -> None:
    policy = (await house.browser.get("/assets/evil.svg")).headers["content-security-policy"]

    assert policy.startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets/%00",
        "/assets",
    ],
)
async def test_only_files_of_the_editor_are_given(house: Site, path: str) -> None:
    answer = await house.browser.get(path)

    assert answer.status_code == 404
    assert b"The editor</title>" not in answer.content


async def test_scripts_of_node_packs_are_served_where_the_operator_names_them(
    databases: Databases, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    (pack / "js").mkdir(parents=True)
    (pack / "js" / "a b.js").write_text("export {};")
    (pack / "style.css").write_text("a {}")
    config = msgspec.structs.replace(
        databases.config(tmp_path / "data"),
        editor_dir=str(write_editor(tmp_path / "frontend")),
        editor_extensions=(f"my.pack={pack}", f"core={pack}", f"fireside={pack}"),
        editor_templates=(str(pack),),
    )
    async with assemble(config, public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as browser:
            assert (await browser.get("/extensions/my.pack/style.css")).status_code == 401
            await Site(assembly.services, browser).sign_in()

            listed = (await browser.get("/api/extensions")).json()

            assert listed == ["/extensions/fireside/fireside.js", "/extensions/my.pack/js/a%20b.js"]
            for path in [
                *listed,
                "/extensions/my.pack/style.css",
                "/extensions/core/widgets.js",
                "/templates/style.css",
            ]:
                assert (await browser.get(path)).status_code == 200
            for path in ("/extensions/core/style.css", "/extensions/other/x.js", "/templates/x.json", "/docs/A/en.md"):
                assert (await browser.get(path)).status_code == 404


async def test_without_the_setting_the_editor_loads_our_own_script_alone(house: Site) -> None:
    await _sign_in(house)

    assert (await house.browser.get("/api/extensions")).json() == ["/extensions/fireside/fireside.js"]
    assert "registerExtension" in (await house.browser.get("/extensions/fireside/fireside.js")).text


async def test_a_browser_is_not_told_that_files_are_missing_before_they_are_made(house: Site) -> None:
    await _sign_in(house)
    _, secret = await house.services.accounts.create_key(await house.services.accounts.user_named("ada"))
    folder = "/api/userdata?dir=workflows&recurse=true&split=false&full_info=true"

    assert (await house.browser.get(folder)).json() == []
    style = await house.browser.get("/api/userdata/user.css")
    assert (style.status_code, style.content, style.headers["content-type"]) == (200, b"", "text/css; charset=utf-8")
    assert (await house.browser.get("/api/userdata/comfy.templates.json")).json() == []
    assert (await house.browser.get("/api/userdata/other.json")).status_code == 404
    for path in (folder, "/api/userdata/user.css"):
        assert (await house.browser.get(path, headers={"X-API-Key": secret})).status_code == 404
    assert "--disable-api-nodes" in (await house.browser.get("/api/system_stats")).json()["system"]["argv"]


async def test_the_account_button_of_another_service_is_hidden(house: Site) -> None:
    style = await house.browser.get("/user.css")

    assert '[data-testid="login-button"] { display: none' in style.text
    assert style.headers["content-type"].startswith("text/css")


async def test_without_the_editor_the_page_says_how_to_get_it(databases: Databases, tmp_path: Path) -> None:
    config = msgspec.structs.replace(databases.config(tmp_path / "data"), editor_dir=str(tmp_path / "nothing"))
    async with assemble(config, public_url=ORIGIN) as assembly:
        transport = httpx.ASGITransport(app=build_edge(assembly.services))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as browser:
            site = Site(assembly.services, browser)
            await site.sign_in()
            page = await browser.get("/")

            assert page.status_code == 200
            assert (
                "pip install &#39;fireside[editor]&#39;" in page.text or "pip install 'fireside[editor]'" in page.text
            )
            assert 'href="/dashboard"' in page.text
            assert 'href="/account"' in page.text
            assert (await browser.get("/assets/index.js")).status_code == 404
            assert (await browser.get("/api/extensions")).json() == []


def test_the_editor_is_found_as_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "a_package_of_files"
    write_editor(package / "static")
    (package / "__init__.py").write_text("raise RuntimeError('nobody imports it')")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert package_folder("a_package_of_files", "static") == package / "static"
    assert package_folder("a_package_of_files", "templates") is None
    assert package_folder("a_package_that_is_not", "static") is None
    assert editor_folder(Config(editor_dir=str(package / "static"))) == package / "static"
    assert editor_folder(Config(editor_dir=str(package))) is None
