"""The pages of people: invitations, limits, keys, and the end of a user, all by an admin in a browser."""

import re
from dataclasses import replace

import pytest
from tests.server.pages.site import Site

from fireside.config import Config
from fireside.domain.accounts import Role
from fireside.domain.errors import BadRequest
from fireside.server.pages.limits import limit_fields, read_limits

PEOPLE = "/dashboard/people"
INVITATIONS = "/dashboard/invitations"
SCRIPT = "<script>alert(1)</script>"


async def test_members_see_nobody_and_change_nothing(site: Site) -> None:
    bob = await site.user("bob")
    await site.sign_in()

    for path in (PEOPLE, f"{PEOPLE}/bob", f"{PEOPLE}/nobody"):
        page = await site.browser.get(path)
        assert page.status_code == 403
        assert "bob" not in page.text
    for path in (f"{PEOPLE}/bob", f"{PEOPLE}/bob/delete", f"{PEOPLE}/bob/password-link", INVITATIONS):
        assert (await site.browser.post(path, data={"name": "bob", "role": "admin", "weight": "9"})).status_code == 403
    assert await site.services.accounts.user_named("bob") == bob
    assert not await site.services.sign_ins.invitations()


async def test_strangers_sign_in_first(site: Site) -> None:
    assert (await site.browser.get(PEOPLE)).headers["location"] == f"/login?next={PEOPLE}"


async def test_an_invitation_is_made_shown_once_used_and_taken_back(site: Site) -> None:
    await site.sign_in_as_admin()

    made = await site.browser.post(INVITATIONS, data={"name": "dora", "role": "member", "weight": "2"})

    (link,) = re.findall(r"/invite/[\w-]+", made.text)
    assert (await site.browser.get(link)).status_code == 200
    assert link not in (await site.browser.get(PEOPLE)).text
    (invitation,) = await site.services.sign_ins.invitations()
    assert (invitation.name, invitation.weight, invitation.role) == ("dora", 2, Role.MEMBER)
    taken = await site.browser.post(f"{INVITATIONS}/{invitation.id}/take-back")
    assert (taken.status_code, taken.headers["location"]) == (303, PEOPLE)
    assert not await site.services.sign_ins.invitations()
    for other in (str(invitation.id), "x", "9" * 30):
        assert (await site.browser.post(f"{INVITATIONS}/{other}/take-back")).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {"role": "king"},
        {"role": "member", "weight": "heavy"},
        {"role": "member", "weight": "-1"},
        {"role": "member", "weight": "nan"},
        {"role": "member", "name": SCRIPT},
        {"role": "member", "name": "admin"},
        {},
    ],
)
async def test_an_invitation_that_cannot_be_is_told_on_the_page(site: Site, form: dict[str, str]) -> None:
    await site.sign_in_as_admin()

    answer = await site.browser.post(INVITATIONS, data=form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert SCRIPT not in answer.text
    assert not await site.services.sign_ins.invitations()


async def test_limits_are_changed_and_what_is_left_empty_is_the_servers(site: Site) -> None:
    await site.services.accounts.change_user(replace(await site.user(), max_running=3))
    await site.sign_in_as_admin()
    form = {"weight": "2.5", "max_queued": "7", "quota_gpu_seconds": "1.5", "quota_bytes": "0", "reuse": "no"}

    answer = await site.browser.post(f"{PEOPLE}/ada", data=form)

    assert answer.status_code == 303
    assert "Saved." in (await site.browser.get(answer.headers["location"])).text
    user = await site.services.accounts.user_named("ada")
    assert (user.weight, user.max_running, user.max_queued, user.reuse) == (2.5, None, 7, False)
    assert (user.quota_gpu_seconds, user.quota_bytes, user.keep_days) == (1.5, 0, None)


@pytest.mark.parametrize(
    "form",
    [
        {"weight": "0"},
        {"weight": ""},
        {"weight": "1", "max_running": "0"},
        {"weight": "1", "max_running": "-1"},
        {"weight": "1", "max_running": "1.5"},
        {"weight": "1", "quota_jobs": "9" * 40},
        {"weight": "1", "quota_gpu_seconds": "inf"},
        {"weight": "1", "keep_jobs": SCRIPT},
        {"weight": "1", "reuse": "perhaps"},
    ],
)
async def test_limits_that_make_no_sense_are_told_and_what_was_written_stays(site: Site, form: dict[str, str]) -> None:
    before = await site.user()
    await site.sign_in_as_admin()

    answer = await site.browser.post(f"{PEOPLE}/ada", data=form)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert SCRIPT not in answer.text
    assert await site.services.accounts.user_named("ada") == before


async def test_a_link_for_a_password_is_shown_once_and_works(site: Site) -> None:
    await site.user()
    await site.sign_in_as_admin()

    made = await site.browser.post(f"{PEOPLE}/ada/password-link")

    (link,) = re.findall(r"/password/[\w-]+", made.text)
    assert (await site.browser.get(link)).status_code == 200
    assert link not in (await site.browser.get(f"{PEOPLE}/ada")).text


async def test_a_key_is_revoked_at_its_owners_page_only(site: Site) -> None:
    accounts = site.services.accounts
    ada = await site.user()
    await site.user("bob")
    key, secret = await accounts.create_key(ada, SCRIPT)
    await site.sign_in_as_admin()
    page = (await site.browser.get(f"{PEOPLE}/ada")).text
    assert SCRIPT not in page
    assert key.prefix in page

    assert (await site.browser.post(f"{PEOPLE}/bob/keys/{key.id}/revoke")).status_code == 404
    assert await accounts.authenticate(secret) is not None
    assert (await site.browser.post(f"{PEOPLE}/ada/keys/{key.id}/revoke")).status_code == 303
    assert await accounts.authenticate(secret) is None


async def test_a_user_is_deleted_only_when_their_name_is_written(site: Site) -> None:
    await site.user()
    await site.sign_in_as_admin()

    refused = await site.browser.post(f"{PEOPLE}/ada/delete", data={"name": "bob"})
    assert refused.status_code == 400
    assert "Write the name" in refused.text
    assert await site.services.accounts.user_named("ada")

    gone = await site.browser.post(f"{PEOPLE}/ada/delete", data={"name": "ada"})
    assert (gone.status_code, gone.headers["location"]) == (303, PEOPLE)
    assert (await site.browser.get(f"{PEOPLE}/ada")).status_code == 404


async def test_the_last_admin_stays(site: Site) -> None:
    admin = await site.sign_in_as_admin()

    answer = await site.browser.post(f"{PEOPLE}/{admin.name}/delete", data={"name": admin.name})

    assert answer.status_code == 409
    assert "the last admin" in answer.text


async def test_another_site_changes_nobody(site: Site) -> None:
    before = await site.user()
    await site.sign_in_as_admin()
    paths = (f"{PEOPLE}/ada", f"{PEOPLE}/ada/delete", f"{PEOPLE}/ada/password-link", INVITATIONS)

    for path in paths:
        form = {"name": "ada", "weight": "9", "role": "admin"}
        answer = await site.browser.post(path, data=form, headers={"Origin": "http://evil.test"})
        assert answer.status_code == 403

    assert await site.services.accounts.user_named("ada") == before
    assert not await site.services.sign_ins.invitations()


async def test_a_name_with_odd_characters_has_a_page(site: Site) -> None:
    await site.user("a.b_c@d-e")
    await site.sign_in_as_admin()

    (path,) = re.findall(rf'href="({PEOPLE}/a\.[^"]*)"', (await site.browser.get(PEOPLE)).text)

    assert (await site.browser.get(path)).status_code == 200


async def test_what_a_form_shows_is_what_it_reads(site: Site) -> None:
    user = replace(await site.user(), max_run_seconds=12.25, keep_days=0, quota_gpu_seconds=1e9, reuse=True)
    fields = limit_fields(user, Config())
    form = {field.name: field.value for field in fields["limits"]}

    read = read_limits(form | {"weight": fields["weight"], "reuse": fields["reuse"]})

    assert replace(user, **read) == user


def test_a_form_without_a_weight_is_refused() -> None:
    with pytest.raises(BadRequest, match="weight"):
        read_limits({})


async def test_an_admin_makes_another_and_is_made_a_member(site: Site) -> None:
    await site.user()
    admin = await site.sign_in_as_admin()

    await site.browser.post(f"{PEOPLE}/ada", data={"weight": "1", "role": "admin"})
    assert (await site.services.accounts.user_named("ada")).role is Role.ADMIN
    await site.browser.post(f"{PEOPLE}/{admin.name}", data={"weight": "1", "role": "member"})

    assert (await site.services.accounts.user_named(admin.name)).role is Role.MEMBER
    assert (await site.browser.get(PEOPLE)).status_code == 403


async def test_the_last_admin_stays_one(site: Site) -> None:
    await site.user()
    admin = await site.sign_in_as_admin()

    answer = await site.browser.post(f"{PEOPLE}/{admin.name}", data={"weight": "3", "role": "member"})

    assert answer.status_code == 409
    assert "the last admin" in answer.text
    assert await site.services.accounts.user_named(admin.name) == admin


async def test_a_role_that_is_none_is_told_and_one_that_is_not_sent_stays(site: Site) -> None:
    ada = await site.user()
    await site.sign_in_as_admin()

    assert (await site.browser.post(f"{PEOPLE}/ada", data={"weight": "1", "role": SCRIPT})).status_code == 400
    await site.browser.post(f"{PEOPLE}/ada", data={"weight": "2"})

    changed = await site.services.accounts.user_named("ada")
    assert (changed.role, changed.weight) == (ada.role, 2)
