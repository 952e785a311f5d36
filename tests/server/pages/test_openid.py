"""Signing in with an OpenID provider, as a browser meets it, with a provider that really signs; and one that lies."""

import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import msgspec
import pytest
from tests.databases import Databases
from tests.server.pages.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdServer, rsa_key, running_provider
from tests.server.pages.site import ORIGIN, Site

from fireside.accounts.guesses import MOST_AT_PROVIDER
from fireside.accounts.openid import openid_of
from fireside.accounts.openid_provider import FAILED_SECONDS, OpenIdProvider
from fireside.app import assemble
from fireside.config import Config, ConfigError
from fireside.domain.accounts import Role
from fireside.domain.errors import Unavailable
from fireside.server.edge import build_edge

OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
Sites = Callable[..., AbstractAsyncContextManager[Site]]


def _defaults(issuer: str) -> dict[str, Any]:
    return {
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Acme",
        "oidc_new_users": True,
        "oidc_email_domains": ("*",),
    }


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdServer]:
    async with running_provider() as server:
        yield server


@pytest.fixture
def open_site(databases: Databases, tmp_path: Path, provider: OpenIdServer) -> Sites:
    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncGenerator[Site]:
        config = msgspec.structs.replace(databases.config(tmp_path / "data"), **_defaults(provider.url) | settings)
        async with assemble(config, public_url=ORIGIN) as assembly:
            transport = httpx.ASGITransport(app=build_edge(assembly.services))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
                yield Site(assembly.services, browser)

    return opened


@pytest.fixture
async def site(open_site: Sites) -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


async def _back_from_provider(site: Site, query: str = "") -> str:
    """Go to the provider, sign in there, and give the address that it sends the browser back to."""
    away = await site.browser.get(f"/openid{query}")
    assert away.status_code == 303, away.text
    async with httpx.AsyncClient() as there:
        return (await there.get(away.headers["location"])).headers["location"]


async def _sign_in(site: Site, query: str = "") -> httpx.Response:
    return await site.browser.get(await _back_from_provider(site, query))


async def _name(site: Site) -> str:
    page = await site.browser.get("/account")
    return page.text.partition("Account of ")[2].partition(" ")[0] if page.status_code == 200 else ""


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_whom_the_provider_knows_comes_in_and_is_the_same_user_again(
    site: Site, provider: OpenIdServer, algorithm: str
) -> None:
    provider.algorithm = algorithm
    assert 'href="/openid?next=/account">Sign in with Acme' in (await site.browser.get("/login?next=/account")).text

    answer = await _sign_in(site, "?next=/account")

    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert await _name(site) == "ada"
    await site.browser.post("/logout")
    provider.person["preferred_username"] = "renamed"
    await _sign_in(site)
    assert await _name(site) == "ada"
    assert provider.asked == ["discovery", "keys"]


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(site: Site, provider: OpenIdServer) -> None:
    provider.auth_methods = ("client_secret_post",)

    assert (await _sign_in(site)).status_code == 303


async def test_a_name_that_is_taken_is_somebody_elses(site: Site, provider: OpenIdServer) -> None:
    ada = await site.user("ada")
    provider.person |= {"email": "ada@example.org", "email_verified": True}

    await _sign_in(site)

    assert await _name(site) == "ada-2"
    assert (await site.services.accounts.user_named("ada-2")).id != ada.id


def _claims(**other: Any) -> Callable[[OpenIdServer, dict[str, Any]], str]:
    return lambda provider, claims: provider.sign(claims | other)


_LIES: dict[str, Callable[[OpenIdServer, dict[str, Any]], str]] = {
    "another nonce": _claims(nonce="x" * 43),
    "another audience": _claims(aud="another client"),
    "several audiences": _claims(aud=[CLIENT_ID, "another client"]),
    "another party": _claims(azp="another client"),
    "another issuer": _claims(iss="https://accounts.example.org"),
    "expired": _claims(exp=1_600_000_000),
    "from the future": _claims(iat=4_000_000_000, nbf=4_000_000_000),
    "nobody": _claims(sub=""),
    "a number as subject": _claims(sub=7),
    "a NUL in the subject": _claims(sub="7\0"),
    "no nonce": lambda provider, claims: provider.sign({k: v for k, v in claims.items() if k != "nonce"}),
    "no end": lambda provider, claims: provider.sign({k: v for k, v in claims.items() if k != "exp"}),
    "not signed": lambda _, claims: jwt.encode(claims, "", "none", headers={"kid": "one"}),
    "signed with the client's secret": lambda _, claims: jwt.encode(
        claims, CLIENT_SECRET * 8, "HS256", headers={"kid": "one"}
    ),
    "signed with a shared key": lambda _, claims: jwt.encode(claims, b"k" * 32, "HS256", headers={"kid": "shared"}),
    "signed by another": lambda provider, claims: provider.sign(claims, key=rsa_key("another")),
    "a key that is not there": lambda provider, claims: provider.sign(claims, key_id="two"),
    "no token": lambda _, claims: "a.b.c",
    "another algorithm's name": lambda provider, claims: _renamed(provider.sign(claims)),
}


def _renamed(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"one"}').rstrip(b"=").decode()
    return f"{header}.{token.partition('.')[2]}"


@pytest.mark.parametrize("lie", list(_LIES))
@pytest.mark.filterwarnings("ignore:The HMAC key is")
async def test_a_token_that_cannot_be_believed_lets_nobody_in(site: Site, provider: OpenIdServer, lie: str) -> None:
    provider.forge = lambda claims: _LIES[lie](provider, claims)

    answer = await _sign_in(site)

    assert answer.status_code == 401
    assert "cannot be believed" in answer.text
    assert 'href="/openid">Try again with Acme' in answer.text
    assert "fireside_session" not in site.browser.cookies
    assert [user.name for user in await site.services.accounts.users()] == []


async def test_a_new_key_of_the_provider_is_asked_for(site: Site, provider: OpenIdServer) -> None:
    await _sign_in(site)
    provider.key_id = "two"

    assert (await _sign_in(site)).status_code == 303

    assert provider.asked == ["discovery", "keys", "keys"]


async def test_a_code_works_once(site: Site, provider: OpenIdServer) -> None:
    address = await _back_from_provider(site)
    flow = site.browser.cookies["fireside_openid"]
    assert (await site.browser.get(address)).status_code == 303
    site.browser.cookies.clear()

    without = await site.browser.get(address)
    again = await site.browser.get(address, headers={"Cookie": f"fireside_openid={flow}"})

    assert (without.status_code, again.status_code) == (400, 401)
    assert "fireside_session" not in site.browser.cookies


async def test_another_browser_cannot_come_back_in_its_place(site: Site, provider: OpenIdServer) -> None:
    foreign = await _back_from_provider(site)
    await _back_from_provider(site)

    answer = await site.browser.get(foreign)

    assert answer.status_code == 400
    assert "begun in another browser" in answer.text
    assert provider.last_form == {}


@pytest.mark.parametrize("change", ["state=x", "iss=https://other.test", "error=access_denied", "code="])
async def test_an_address_that_was_changed_is_not_taken(site: Site, provider: OpenIdServer, change: str) -> None:
    address = urlsplit(await _back_from_provider(site))
    name, _, value = change.partition("=")
    query = {key: values[0] for key, values in parse_qs(address.query).items()} | {name: value}

    answer = await site.browser.get(address.path, params=query)

    assert answer.status_code in (400, 403)
    assert provider.last_form == {}


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "A" * 200])
async def test_a_cookie_that_we_did_not_seal_is_none(site: Site, provider: OpenIdServer, cookie: str) -> None:
    address = await _back_from_provider(site)
    site.browser.cookies.clear()

    answer = await site.browser.get(address, headers={"Cookie": f"fireside_openid={cookie}"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("person", "status"),
    [
        pytest.param({"email": "ada@Example.org", "email_verified": True}, 303, id="verified"),
        pytest.param({"email": "ada@example.org"}, 403, id="not-verified"),
        pytest.param({"email": "ada@example.org.evil.test", "email_verified": True}, 403, id="another-domain"),
        pytest.param({}, 403, id="none"),
    ],
)
async def test_only_verified_addresses_of_the_domains_come_in(
    open_site: Sites, provider: OpenIdServer, person: dict[str, Any], status: int
) -> None:
    provider.person |= person
    async with open_site(oidc_email_domains=("example.org",)) as site:
        assert (await _sign_in(site)).status_code == status


async def test_only_members_of_a_group_come_in_also_later(open_site: Sites, provider: OpenIdServer) -> None:
    async with open_site(oidc_groups=("artists",), oidc_groups_claim="roles") as site:
        provider.person["roles"] = ["others", "artists"]
        assert (await _sign_in(site)).status_code == 303
        provider.person["roles"] = ["others"]
        left = await _sign_in(site)
        assert (left.status_code, "not in a group" in left.text) == (403, True)


async def test_without_new_users_an_invitation_is_needed_and_used_up(open_site: Sites, provider: OpenIdServer) -> None:
    async with open_site(oidc_new_users=False, oidc_email_domains=()) as site:
        stranger = await _sign_in(site)
        assert (stranger.status_code, "Ask for an invitation" in stranger.text) == (403, True)
        _, token = await site.services.sign_ins.invite("grace", Role.ADMIN, 2.0)
        assert f'href="/openid?invitation={token}"' in (await site.browser.get(f"/invite/{token}")).text

        assert (await _sign_in(site, f"?invitation={token}")).status_code == 303

        grace = await site.services.accounts.user_named("grace")
        assert (grace.role, grace.weight, await _name(site)) == (Role.ADMIN, 2.0, "grace")
        provider.person["sub"] = "8"
        assert (await _sign_in(site, f"?invitation={token}")).status_code == 403


async def test_an_account_is_connected_by_who_is_signed_in(open_site: Sites, provider: OpenIdServer) -> None:
    async with open_site(oidc_new_users=False, oidc_email_domains=()) as site:
        user = await site.user("linus")
        login = await site.services.accounts.login_link(user)
        await site.browser.post(f"/login/{login}")
        assert 'href="/openid?connect"' in (await site.browser.get("/account")).text

        assert (await _sign_in(site, "?connect")).headers["location"] == "/account"

        site.browser.cookies.clear()
        await _sign_in(site)
        assert await _name(site) == "linus"


async def test_nobody_connects_for_another(site: Site, provider: OpenIdServer) -> None:
    await site.browser.post(f"/login/{await site.services.accounts.login_link(await site.user('linus'))}")
    address = await _back_from_provider(site, "?connect")
    other = await site.services.accounts.login_link(await site.user("eve"))
    await site.browser.post("/logout")
    await site.browser.post(f"/login/{other}")

    assert (await site.browser.get(address)).status_code == 403
    foreign = await site.browser.get("/openid?connect", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


async def test_a_deleted_user_comes_back_as_a_new_one(site: Site, provider: OpenIdServer) -> None:
    await _sign_in(site)
    ada = await site.services.accounts.user_named("ada")
    await site.services.accounts.delete_user(ada)

    assert await _name(site) == ""
    await _sign_in(site)

    assert (await site.services.accounts.user_named("ada")).id != ada.id


async def test_tokens_are_fetched_from_the_issuers_host_alone(site: Site, provider: OpenIdServer) -> None:
    async with running_provider() as other:
        provider.token_endpoint = f"{other.url}/token"

        answer = await _sign_in(site)

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert other.last_form == {}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:x/token", "http://[/token", "/token", "http://127.0.0.1:1\0/"])
async def test_an_endpoint_that_is_no_address_is_not_asked(site: Site, provider: OpenIdServer, endpoint: str) -> None:
    provider.token_endpoint = endpoint

    assert (await _sign_in(site)).status_code == 503


async def test_an_issuer_that_is_another_is_not_spoken_to(open_site: Sites, provider: OpenIdServer) -> None:
    async with open_site(oidc_issuer=provider.url.replace("127.0.0.1", "localhost")) as site:
        answer = await site.browser.get("/openid")
        assert (answer.status_code, "cannot be asked now" in answer.text) == (503, True)


async def test_without_a_provider_there_is_no_way_in_by_one(open_site: Sites) -> None:
    async with open_site(oidc_issuer="") as site:
        assert (await site.browser.get("/openid")).status_code == 404
        assert "/openid" not in (await site.browser.get("/login")).text


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"oidc_issuer": "http://sso.example.org", "oidc_client_id": "x"}, id="http"),
        pytest.param({"oidc_issuer": "https://sso.example.org?x", "oidc_client_id": "x"}, id="query"),
        pytest.param({"oidc_issuer": "https://sso.example.org"}, id="no-client"),
        pytest.param({"oidc_issuer": "https://sso.example.org:443x", "oidc_client_id": "x"}, id="no-port"),
        pytest.param({"oidc_issuer": "https://sso.example.org:99999", "oidc_client_id": "x"}, id="large-port"),
        pytest.param({"oidc_issuer": "https://[sso", "oidc_client_id": "x"}, id="no-host"),
        pytest.param({"oidc_issuer": "https://a b/", "oidc_client_id": "x"}, id="space"),
        pytest.param(
            {"oidc_issuer": "https://sso.example.org", "oidc_client_id": "x", "oidc_new_users": True}, id="everybody"
        ),
    ],
)
def test_settings_that_are_wrong_are_told(settings: dict[str, Any]) -> None:
    unused: Any = None
    with pytest.raises(ConfigError, match="oidc_"):
        openid_of(Config(**settings), unused, unused, unused, unused, public_url=ORIGIN)


@pytest.mark.parametrize(
    "host",
    [
        "https://keys.test",
        "keys.test/path",
        "a b",
        "user@keys.test",
        "keys.test:x",
        "keys.test:99999",
        "*.test",
        "",
        "[::1",
    ],
)
def test_a_host_that_is_none_is_told(host: str) -> None:
    with pytest.raises(ConfigError, match=r"oidc_hosts: .* is no host"):
        OpenIdProvider(Config(oidc_issuer="https://sso.test", oidc_client_id="x", oidc_hosts=(host,)))


@pytest.mark.parametrize(
    "host", ["keys.test", "Keys.Test:443", "127.0.0.1:8443", "[::1]:8443", "xn--bcher-kva.example"]
)
def test_a_host_may_have_a_port(host: str) -> None:
    OpenIdProvider(Config(oidc_issuer="https://sso.test", oidc_client_id="x", oidc_hosts=(host,)))


async def test_a_provider_that_is_away_is_not_asked_by_everybody(provider: OpenIdServer) -> None:
    now = [0.0]
    config = Config(**_defaults(provider.url))
    known = OpenIdProvider(config, seconds=lambda: now[0])
    provider.is_away = True

    async def ask() -> str:
        return await known.authorization_url(redirect_uri=ORIGIN, state="s", nonce="n", challenge="c")

    for _ in range(3):
        with pytest.raises(Unavailable):
            await ask()
    assert provider.asked == ["discovery"]
    provider.is_away = False
    now[0] += FAILED_SECONDS
    assert (await ask()).startswith(f"{provider.url}/authorize?")
    assert provider.asked == ["discovery", "discovery"]


async def test_steps_from_one_place_that_lead_nowhere_are_kept_few(site: Site, provider: OpenIdServer) -> None:
    for _ in range(MOST_AT_PROVIDER):
        assert (await site.browser.get("/openid/callback")).status_code == 400

    start, end = await site.browser.get("/openid"), await site.browser.get("/openid/callback")

    assert (start.status_code, end.status_code) == (429, 429)
    assert int(start.headers["retry-after"]) > 0
    assert "Too many tries" in start.text
    assert provider.asked == []


async def test_people_who_come_in_lock_nobody_out(site: Site, provider: OpenIdServer) -> None:
    for _ in range(MOST_AT_PROVIDER - 2):
        await site.browser.get("/openid/callback")
    assert (await _sign_in(site)).status_code == 303

    assert (await _sign_in(site)).status_code == 303


async def test_what_the_token_does_not_say_is_asked_for(open_site: Sites, provider: OpenIdServer) -> None:
    provider.person = {"sub": "7"}
    provider.userinfo = {"sub": "7", "preferred_username": "grace", "email": "g@example.org", "email_verified": True}
    async with open_site(oidc_email_domains=("example.org",)) as site:
        assert (await _sign_in(site)).status_code == 303
        assert await _name(site) == "grace"
    assert provider.asked.count("userinfo") == 1


async def test_a_token_that_says_all_is_enough(site: Site, provider: OpenIdServer) -> None:
    provider.userinfo = {"sub": "7"}

    assert (await _sign_in(site)).status_code == 303

    assert "userinfo" not in provider.asked


@pytest.mark.parametrize(
    ("said", "info"),
    [
        pytest.param({}, {"sub": "8", "email": "g@example.org", "email_verified": True}, id="of-another-person"),
        pytest.param(
            {"email": "g@evil.test"}, {"sub": "7", "email": "g@example.org", "email_verified": True}, id="mixed"
        ),
        pytest.param({"email": "g@example.org"}, {"sub": "7", "email_verified": True}, id="verified-what"),
        pytest.param({}, {"sub": "7", "email": "g@example.org"}, id="not-verified"),
    ],
)
async def test_an_address_counts_as_verified_only_where_one_place_says_both(
    open_site: Sites, provider: OpenIdServer, said: dict[str, Any], info: dict[str, Any]
) -> None:
    provider.person, provider.userinfo = {"sub": "7", **said}, info
    async with open_site(oidc_email_domains=("example.org",)) as site:
        assert (await _sign_in(site)).status_code == 403


async def test_a_connection_is_listed_and_removed_unless_it_is_the_last_way_in(
    site: Site, provider: OpenIdServer
) -> None:
    await _sign_in(site)
    page = (await site.browser.get("/account")).text
    (address,) = re.findall(r'action="(/account/connections/[0-9a-f]+/remove)"', page)
    assert "<code>7</code>" in page

    refused = await site.browser.post(address, headers=OURS)
    assert (refused.status_code, "only way in" in refused.text) == (409, True)
    ada = await site.services.accounts.user_named("ada")
    await site.services.store.set_password(ada.id, "kept")
    await site.browser.post(f"/login/{await site.services.accounts.login_link(ada)}", headers=OURS)
    removed = await site.browser.post(address, headers=OURS)

    assert (removed.status_code, removed.headers["location"]) == (303, "/account#provider")
    assert await site.services.store.identities(ada.id) == []
    assert (await site.browser.post(address, headers=OURS)).status_code == 404


async def test_a_second_connection_is_a_way_in(site: Site, provider: OpenIdServer) -> None:
    await _sign_in(site)
    provider.person = {"sub": "another"}
    await _sign_in(site, "?connect")
    page = (await site.browser.get("/account")).text
    addresses = re.findall(r'action="(/account/connections/[0-9a-f]+/remove)"', page)

    answers = [(await site.browser.post(address, headers=OURS)).status_code for address in addresses]

    assert answers == [303, 409]


async def test_nobody_removes_anothers_connection(site: Site, provider: OpenIdServer) -> None:
    await _sign_in(site)
    (address,) = re.findall(
        r'action="(/account/connections/[0-9a-f]+/remove)"', (await site.browser.get("/account")).text
    )
    eve = await site.user("eve")
    site.browser.cookies.clear()
    await site.browser.post(f"/login/{await site.services.accounts.login_link(eve)}", headers=OURS)

    assert (await site.browser.post(address, headers=OURS)).status_code == 404
    foreign = await site.browser.post(address, headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
