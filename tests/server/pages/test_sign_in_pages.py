"""The forms by which people come in and choose a password, as a browser meets them."""

import pytest
from tests.server.pages.site import ORIGIN, Site

from fireside.accounts.guesses import MOST_FROM_THERE
from fireside.domain.accounts import Role
from fireside.server.pages.rendering import own_path

GOOD = "correct horse battery"


async def _with_password(site: Site, name: str = "ada") -> None:
    user = await site.user(name)
    await site.services.sign_ins.change_password(user, "", GOOD, "192.0.2.1")


async def test_name_and_password_sign_in_and_lead_on(site: Site) -> None:
    await _with_password(site)

    answer = await site.browser.post("/login", data={"name": " ada ", "password": GOOD, "next": "/account?x=1"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    assert (await site.browser.get("/account")).status_code == 200
    assert (await site.browser.get("/login?next=/account")).headers["location"] == "/account"


async def test_a_sign_in_leads_nowhere_else(site: Site) -> None:
    await _with_password(site)

    answer = await site.browser.post("/login", data={"name": "ada", "password": GOOD, "next": "//evil.test"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "path", ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "javascript:x", "/a\nb", "", "\t//evil.test"]
)
def test_only_paths_of_ours_are_gone_on_to(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/account?x=1") == "/account?x=1"


async def test_a_wrong_password_says_so_and_keeps_what_was_typed(site: Site) -> None:
    await _with_password(site)

    answer = await site.browser.post("/login", data={"name": "<b>ada", "password": "wrong", "next": "/account"})

    assert answer.status_code == 401
    assert "The name or the password is not right." in answer.text
    assert 'value="&lt;b&gt;ada"' in answer.text
    assert 'value="/account"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_too_many_guesses_are_told_when_to_come_back(site: Site) -> None:
    for _ in range(MOST_FROM_THERE):
        await site.browser.post("/login", data={"name": "ada", "password": "wrong"})

    answer = await site.browser.post("/login", data={"name": "ada", "password": "wrong"})

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Too many tries" in answer.text


async def test_a_guest_becomes_a_user(site: Site) -> None:
    _, token = await site.services.sign_ins.invite(None, Role.MEMBER, 1.0)
    assert "Welcome" in (await site.browser.get(f"/invite/{token}")).text
    differs = await site.browser.post(
        f"/invite/{token}", data={"name": "grace", "password": GOOD, "again": "something else"}
    )
    assert differs.status_code == 400
    assert 'value="grace"' in differs.text
    short = await site.browser.post(f"/invite/{token}", data={"name": "grace", "password": "x", "again": "x"})
    assert (short.status_code, "10 to 256" in short.text) == (400, True)

    answer = await site.browser.post(f"/invite/{token}", data={"name": "grace", "password": GOOD, "again": GOOD})

    assert answer.status_code == 303
    assert "grace" in (await site.browser.get("/account")).text
    assert (await site.browser.get(f"/invite/{token}")).status_code == 410


async def test_a_password_is_chosen_anew_by_a_link(site: Site) -> None:
    await _with_password(site)
    token, _ = await site.services.sign_ins.password_link(await site.services.accounts.user_named("ada"))
    assert "ada" in (await site.browser.get(f"/password/{token}")).text

    new = "another long password"
    answer = await site.browser.post(f"/password/{token}", data={"password": new, "again": new})

    assert answer.status_code == 303
    await site.browser.post("/logout")
    assert (await site.browser.post("/login", data={"name": "ada", "password": new})).status_code == 303
    assert (await site.browser.post(f"/password/{token}", data={"password": new, "again": new})).status_code == 410


@pytest.mark.parametrize("path", ["/invite/x", "/password/x", "/invite/%00", "/password/" + "a" * 5000])
async def test_a_link_that_nobody_made_says_so(site: Site, path: str) -> None:
    assert (await site.browser.get(path)).status_code == 410
    answer = await site.browser.post(path, data={"name": "eve", "password": GOOD, "again": GOOD})
    assert answer.status_code == 410
    assert "This link does not work" in answer.text


async def test_signing_out_has_the_browser_forget_the_editors_drafts(site: Site) -> None:
    await site.sign_in()

    answer = await site.browser.post("/logout")

    assert answer.headers["clear-site-data"] == '"storage"'
    assert '<script src="/signed-out.js" defer></script>' in (await site.browser.get("/login?signed-out")).text
    assert "localStorage.clear()" in (await site.browser.get("/signed-out.js")).text


async def test_the_account_page_makes_and_revokes_keys(site: Site) -> None:
    await site.sign_in()
    made = await site.browser.post("/account/keys", data={"label": "<script>x"})
    assert "&lt;script&gt;x" in made.text
    secret = made.text.split("<pre>")[1].split("</pre>")[0]
    key = {"X-API-Key": secret}
    assert (await site.browser.get("/api/jobs", headers=key)).status_code == 200
    assert secret not in (await site.browser.get("/account")).text

    (found,) = await site.services.accounts.keys(await site.services.accounts.user_named("ada"))
    await site.browser.post(f"/account/keys/{found.id}/revoke")

    assert (await site.browser.get("/api/jobs", headers=key)).status_code == 401


async def test_nobody_revokes_anothers_key(site: Site) -> None:
    key, secret = await site.services.accounts.create_key(await site.user("bob"))
    await site.sign_in()

    await site.browser.post(f"/account/keys/{key.id}/revoke")

    assert await site.services.accounts.authenticate(secret) is not None


async def test_a_password_is_set_and_changed_on_the_account_page(site: Site) -> None:
    await site.sign_in()
    assert "You have none yet" in (await site.browser.get("/account")).text
    new = "another long password"
    assert (await site.browser.post("/account/password", data={"password": GOOD, "again": GOOD})).status_code == 303

    wrong = await site.browser.post("/account/password", data={"former": "no", "password": new, "again": new})
    assert (wrong.status_code, "not right" in wrong.text) == (403, True)
    right = await site.browser.post("/account/password", data={"former": GOOD, "password": new, "again": new})

    assert right.status_code == 303
    assert "The password is set" in (await site.browser.get("/account?changed")).text


async def test_signing_out_everywhere_ends_all_sessions(site: Site) -> None:
    user = await site.sign_in()
    other = await site.services.accounts.begin_session(user.id)

    await site.browser.post("/account/sign-out")

    assert await site.services.accounts.session(other) is None
    assert (await site.browser.get("/account")).headers["location"] == "/login?next=/account"


@pytest.mark.parametrize("path", ["/account/password", "/account/keys", "/account/keys/1/revoke", "/account/sign-out"])
async def test_an_account_is_changed_by_its_own_pages_only(site: Site, path: str) -> None:
    await site.sign_in()
    assert (await site.browser.post(path, headers={"Origin": "http://evil.test"})).status_code == 403

    _, secret = await site.services.accounts.create_key(await site.services.accounts.user_named("ada"))
    site.browser.cookies.clear()
    for headers in ({}, {"X-API-Key": secret}):
        answer = await site.browser.post(path, headers={"Origin": ORIGIN, **headers})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/account")
