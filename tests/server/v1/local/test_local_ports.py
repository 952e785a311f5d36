"""A user's own port: no key, that user's things, and nothing for pages of other sites or other names of the host."""

import pytest
from tests.server.v1.house import GRAPH, LOCAL_ORIGIN, Caller, House

from fireside.domain.accounts import Role
from fireside.server.routes import Access
from fireside.server.tables import ROUTES

# About whom a port takes for whom, by its number and headers.
pytestmark = pytest.mark.once

ATTACKS = {
    "another site's page": {"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"},
    "a page of an older browser": {"Origin": "https://evil.test"},
    "a page on another port of this machine": {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"},
    "a page of the same port under https": {"Origin": "https://127.0.0.1:8188"},
    "a file or a sandboxed frame": {"Origin": "null"},
    "a picture in a page": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a frame in a page": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a picture in a page of this machine": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "image"},
    "a name that was made to mean this machine": {"Host": "evil.test:8188"},
    "that name's page, which its browser takes for the port's own": {
        "Host": "evil.test:8188",
        "Origin": "http://evil.test:8188",
        "Sec-Fetch-Site": "same-origin",
    },
    "another address of this machine": {"Host": "192.168.1.2:8188"},
    "a name that only begins as ours": {"Host": "localhost.evil.test"},
    "a name with a user before it": {"Host": "localhost@evil.test"},
    "a host that is none": {"Host": "[evil"},
}
SERVED = [route for route in ROUTES if route.access in (Access.USER, Access.PUBLIC) and "/log" not in route.path]


async def test_a_program_without_a_key_is_the_ports_user(ann: Caller, bob: Caller, house: House) -> None:
    program = await house.at_local_port(ann.user)

    submitted = await program.post("/prompt", json={"prompt": GRAPH})

    assert submitted.status_code == 200, submitted.text
    job_id = submitted.json()["prompt_id"]
    assert await ann.listed() == [job_id]
    assert await bob.listed() == []
    assert (await program.get("/queue")).json()["queue_pending"][0][1] == job_id


@pytest.mark.parametrize("headers", ATTACKS.values(), ids=ATTACKS)
async def test_nothing_is_told_to_or_taken_from(ann: Caller, house: House, headers: dict[str, str]) -> None:
    attacker = await house.at_local_port(ann.user, **headers)

    for route in SERVED:
        answer = await attacker.request(route.method, route.path.replace("{", "").replace("}", ""), json={})
        assert answer.status_code == 403, route.path
        assert not [name for name in answer.headers if name.startswith("access-control-")], route.path
        assert ann.user.name not in answer.text.split()
    assert (await attacker.options("/prompt")).status_code == 405
    submitted = await attacker.post("/prompt", json={"prompt": GRAPH})
    assert (submitted.status_code, await ann.listed()) == (403, [])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:8188", "Origin": "http://localhost:8188", "Sec-Fetch-Site": "same-origin"},
        {"Host": "127.0.0.1:9000", "Origin": "http://127.0.0.1:9000"},
        {"Host": "[::1]:8188"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Origin": LOCAL_ORIGIN, "Sec-Fetch-Site": "same-origin"},
    ],
    ids=["a program", "its own page", "a forwarded port", "IPv6", "an address that was typed", "its page by address"],
)
async def test_programs_and_its_own_pages_are_served(ann: Caller, house: House, headers: dict[str, str]) -> None:
    visitor = await house.at_local_port(ann.user, **headers)

    assert (await visitor.get("/prompt")).json() == {"exec_info": {"queue_remaining": 0}}
    assert (await visitor.post("/interrupt")).status_code == 200


async def test_a_link_from_elsewhere_may_lead_here_and_change_nothing(ann: Caller, house: House) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    visitor = await house.at_local_port(ann.user, **link)

    page = await visitor.get("/dashboard")

    assert (page.status_code, "Sign out" in page.text) == (200, False)
    assert (await visitor.post("/interrupt")).status_code == 403
    assert "sign out" in (await (await house.sign_in(ann.user)).get("/dashboard")).text.lower()


async def test_a_users_cookie_for_the_same_host_says_nothing_here(ann: Caller, bob: Caller, house: House) -> None:
    browser = await house.sign_in(bob.user)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    visitor = await house.at_local_port(ann.user, Cookie=cookie)

    assert (await visitor.get("/api/user")).json()["id"] == str(ann.user.id)


async def test_a_key_that_is_shown_here_must_be_known(ann: Caller, house: House) -> None:
    for headers in ({"X-API-Key": "fsk_wrong"}, {"Authorization": "Bearer x"}):
        assert (await (await house.at_local_port(ann.user, **headers)).get("/queue")).status_code == 401
    assert (await (await house.at_local_port(ann.user)).get("/queue?token=x")).status_code == 401


async def test_the_port_of_nobody_says_whom_it_lacks(ann: Caller, house: House) -> None:
    client = await house.client({}, "zoe")

    refused = await client.get("/queue")
    zoe = await house.caller("zoe")

    assert refused.status_code == 401
    assert "zoe" in refused.json()["message"]
    assert (await client.get("/api/user")).json()["id"] == str(zoe.user.id)


async def test_an_admins_port_administers_nothing(house: House, nodes: None) -> None:
    root = await house.caller("root", role=Role.ADMIN)
    client = await house.at_local_port(root.user)
    closed = [route for route in ROUTES if route.access in (Access.ADMIN, Access.WORKER, Access.NEWCOMER)]
    for route in closed:
        answer = await client.request(route.method, route.path.replace("{", "").replace("}", ""))
        assert answer.status_code == 404, route.path

    assert closed
    assert (await root.http.get("/admin/api/users")).status_code == 200
    assert (await client.get("/login")).status_code == 404


@pytest.mark.statement(37)
async def test_times_are_milliseconds_here(ann: Caller, house: House) -> None:
    job_id = await ann.submit()
    client = await house.at_local_port(ann.user)

    (entry,) = (await client.get("/api/jobs")).json()["jobs"]
    detail = (await client.get(f"/jobs/{job_id}")).json()

    seconds = (await ann.entry(job_id))["create_time"]
    assert entry["create_time"] // 1000 == seconds
    assert (detail["create_time"] // 1000, detail["update_time"] // 1000) == (seconds, seconds)


async def test_view_gives_bytes_here_also_below_api(ann: Caller, house: House) -> None:
    client = await house.at_local_port(ann.user)
    await client.post("/upload/image", files={"image": ("a.txt", b"text")})

    for path in ("/view", "/api/view"):
        answer = await client.get(path, params={"filename": "a.txt", "type": "input"})
        assert (answer.status_code, answer.content) == (200, b"text")
        assert answer.headers["etag"]
