"""Going out to a real site on loopback, which an operator has named as theirs."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from tests.outbound.site import MIB, Names, Site, certificate, running_site, way_out

from fireside.domain.errors import FiresideError, TooLarge
from fireside.outbound.client import Outbound, Patience
from fireside.outbound.errors import (
    AddressNotAllowed,
    BadUrl,
    FetchFailed,
    HostNotAllowed,
    OutboundOff,
    SourceMissing,
    SourceRefuses,
)

PATIENCE = Patience(total=timedelta(seconds=20))
OURS = ("store.test",)


async def fetch(
    outbound: Outbound, url: str, *, limit_bytes: int = 10 * MIB, patience: Patience = PATIENCE
) -> tuple[bytes, str]:
    async with outbound.get(url, limit_bytes=limit_bytes, patience=patience) as fetched:
        return b"".join([chunk async for chunk in fetched.chunks()]), fetched.url


async def test_the_bytes_of_a_url_come_as_they_are(site: Site, names: Names) -> None:
    outbound = way_out(names, private=OURS)
    async with outbound.get(f"http://store.test:{site.port}/file?a=b", limit_bytes=3000, patience=PATIENCE) as fetched:
        assert (fetched.content_length, fetched.headers["content-type"]) == (3000, "image/png")
        assert b"".join([chunk async for chunk in fetched.chunks()]) == b"abc" * 1000
    ((method, path, headers, _),) = site.requests
    assert (method, path, headers["Host"]) == ("GET", "/file?a=b", f"store.test:{site.port}")
    assert not {"Authorization", "Cookie", "Referer"} & set(headers)


async def test_nothing_goes_out_until_a_host_is_named(site: Site, names: Names) -> None:
    with pytest.raises(OutboundOff):
        await fetch(way_out(names, hosts=()), f"http://store.test:{site.port}/file")
    assert not names.asked


async def test_a_private_address_that_nobody_named_is_not_connected_to(site: Site, names: Names) -> None:
    for host in ("store.test", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(AddressNotAllowed, match="outbound_private_hosts") as refused:
            await fetch(way_out(names), f"http://{host}:{site.port}/file")
        assert "127.0.0.1" not in refused.value.message.replace(host, "")
    assert not site.requests


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost"])
async def test_another_spelling_of_a_private_address_is_none_the_better(site: Site, spelling: str) -> None:
    from_system = Outbound(way_out(Names())._allowed)
    with pytest.raises((AddressNotAllowed, BadUrl)):
        await fetch(from_system, f"http://{spelling}:{site.port}/file")
    assert not site.requests


async def test_one_private_address_among_several_spoils_the_name(site: Site, names: Names) -> None:
    names.give("mixed.test", ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(AddressNotAllowed):
        await fetch(way_out(names), f"http://mixed.test:{site.port}/file")


async def test_a_name_that_changes_after_the_look_is_connected_to_where_it_was_looked_at(
    site: Site, names: Names
) -> None:
    names.give("rebinding.test", ["127.0.0.1"], ["10.9.9.9"])
    outbound = way_out(names, private=("127.0.0.1",))
    assert (await fetch(outbound, f"http://rebinding.test:{site.port}/file"))[0]
    assert names.asked == ["rebinding.test"]
    with pytest.raises(AddressNotAllowed):
        await fetch(outbound, f"http://rebinding.test:{site.port}/file")


async def test_the_next_address_is_tried_when_one_does_not_answer(site: Site, names: Names) -> None:
    names.give("two.test", ["::1", "127.0.0.1"])
    assert (await fetch(way_out(names, private=("two.test",)), f"http://two.test:{site.port}/file"))[0]


async def test_a_redirect_is_followed_to_a_host_that_is_allowed(site: Site, names: Names) -> None:
    names.give("cdn.test", ["127.0.0.1"])
    outbound = way_out(names, hosts=("store.test:*", "cdn.test:*"), private=("127.0.0.0/8",))
    there = f"http://cdn.test:{site.port}/file"
    content, url = await fetch(outbound, f"http://store.test:{site.port}/redirect?to={there}")
    assert (content, url) == (b"abc" * 1000, there)


async def test_a_redirect_to_a_private_address_is_not_followed(site: Site, names: Names) -> None:
    with pytest.raises(AddressNotAllowed):
        await fetch(
            way_out(names, private=OURS),
            f"http://store.test:{site.port}/redirect?to=http://127.0.0.1:{site.port}/file",
        )
    assert len(site.requests) == 1


async def test_a_redirect_to_a_host_that_is_not_listed_is_not_followed(site: Site, names: Names) -> None:
    outbound = way_out(names, hosts=("store.test:*",), private=OURS)
    with pytest.raises(HostNotAllowed):
        await fetch(outbound, f"http://store.test:{site.port}/redirect?to=http://elsewhere.test/")
    assert names.asked == ["store.test"]


async def test_redirects_in_a_circle_end(site: Site, names: Names) -> None:
    url = f"http://store.test:{site.port}/circle"
    with pytest.raises(FetchFailed, match="redirects more than 5 times"):
        await fetch(way_out(names, private=OURS), url)
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        *((401, SourceRefuses), (403, SourceRefuses), (404, SourceMissing), (410, SourceMissing)),
        *((status, FetchFailed) for status in (204, 206, 300, 304, 429, 500)),
    ],
)
async def test_an_answer_without_the_bytes_says_what_the_source_said(
    site: Site, names: Names, status: int, refusal: type[FiresideError]
) -> None:
    with pytest.raises(refusal, match=str(status)):
        await fetch(way_out(names, private=OURS), f"http://store.test:{site.port}/status?is={status}")


async def test_an_encoding_that_was_not_asked_for_is_refused(site: Site, names: Names) -> None:
    with pytest.raises(FetchFailed, match="encoding"):
        await fetch(way_out(names, private=OURS), f"http://store.test:{site.port}/encoded")


async def test_a_length_beyond_the_limit_is_refused_before_the_bytes_come(site: Site, names: Names) -> None:
    with pytest.raises(TooLarge):
        await fetch(
            way_out(names, private=OURS), f"http://store.test:{site.port}/announced?bytes={MIB + 1}", limit_bytes=MIB
        )


async def test_bytes_beyond_the_limit_end_the_stream_though_no_length_was_named(site: Site, names: Names) -> None:
    came = 0
    url = f"http://store.test:{site.port}/unannounced?mib=64"
    async with way_out(names, private=OURS).get(url, limit_bytes=2 * MIB, patience=PATIENCE) as fetched:
        with pytest.raises(TooLarge):  # noqa: PT012  what came before it is counted
            async for chunk in fetched.chunks():
                came += len(chunk)
    assert came <= 2 * MIB


async def test_a_source_that_goes_away_in_the_middle_gives_no_half_a_file(site: Site, names: Names) -> None:
    with pytest.raises(FetchFailed, match="broke off"):
        await fetch(way_out(names, private=OURS), f"http://store.test:{site.port}/broken")


@pytest.mark.parametrize("word", ["silent", "silent_body"])
async def test_a_source_that_says_nothing_is_not_waited_for(site: Site, names: Names, word: str) -> None:
    patience = Patience(read=timedelta(seconds=0.1), total=timedelta(seconds=20))
    with pytest.raises(FetchFailed, match="in time"):
        await fetch(way_out(names, private=OURS), f"http://store.test:{site.port}/{word}", patience=patience)


async def test_a_source_that_drips_is_cut_off_when_its_time_is_over(site: Site, names: Names) -> None:
    patience = Patience(read=timedelta(seconds=10), total=timedelta(seconds=0.3))
    with pytest.raises(FetchFailed, match="in time"):
        await fetch(way_out(names, private=OURS), f"http://store.test:{site.port}/drip", patience=patience)


async def test_a_name_server_that_does_not_answer_is_not_waited_for(names: Names) -> None:
    async def never(host: str, port: int) -> list[object]:
        await asyncio.Event().wait()
        raise AssertionError

    outbound = Outbound(way_out(names)._allowed, resolve=never)  # type: ignore[arg-type]
    patience = Patience(connect=timedelta(seconds=0.1), total=timedelta(seconds=20))
    with pytest.raises(FetchFailed, match="in time"):
        await fetch(outbound, "http://slow.test/", patience=patience)


async def test_a_host_that_is_not_there_is_said_to_be_so(names: Names) -> None:
    with pytest.raises(FetchFailed, match=r"nowhere\.test is not known"):
        await fetch(way_out(names), "http://nowhere.test/")
    async with running_site() as gone:
        port = gone.port
    with pytest.raises(FetchFailed, match="No connection"):
        await fetch(way_out(names, private=OURS), f"http://store.test:{port}/file")


async def test_encryption_and_its_certificate_go_by_the_name(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate_file, key_file = certificate(tmp_path, "store.test")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate_file, key_file)
    names.give("other.test", ["127.0.0.1"])
    async with running_site(tls) as site:
        with pytest.raises(FetchFailed, match="No encrypted connection"):
            await fetch(way_out(names, private=OURS), f"https://store.test:{site.port}/file")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate_file))
        assert (await fetch(way_out(names, private=OURS), f"https://store.test:{site.port}/file"))[0]
        assert site.server_names[-1] == "store.test"
        with pytest.raises(FetchFailed, match="No encrypted connection"):
            await fetch(way_out(names, private=("other.test",)), f"https://other.test:{site.port}/file")


async def test_a_proxy_of_the_environment_is_no_way_around(
    site: Site, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{site.port}")
    with pytest.raises(AddressNotAllowed):
        await fetch(way_out(names), f"http://store.test:{site.port}/file")
    assert not site.requests


async def test_a_message_is_sent_and_the_beginning_of_the_answer_comes_back(site: Site, names: Names) -> None:
    outbound = way_out(names, private=OURS)
    reply = await outbound.post(
        f"http://store.test:{site.port}/status?is=503", b"{}", {"webhook-id": "m1"}, patience=PATIENCE, head_bytes=6
    )
    assert (reply.status, reply.head) == (503, b"what I")
    ((method, _, headers, body),) = site.requests
    assert (method, headers["webhook-id"], body) == ("POST", "m1", b"{}")


async def test_a_message_follows_no_redirect(site: Site, names: Names) -> None:
    reply = await way_out(names, private=OURS).post(
        f"http://store.test:{site.port}/redirect?to=/file", b"{}", {}, patience=PATIENCE
    )
    assert reply.status == 302
    assert len(site.requests) == 1


async def test_a_message_to_one_that_drips_or_is_silent_ends_in_time(site: Site, names: Names) -> None:
    for word in ("silent", "drip"):
        with pytest.raises(FetchFailed, match="in time"):
            await way_out(names, private=OURS).post(
                f"http://store.test:{site.port}/{word}",
                b"{}",
                {},
                patience=Patience(total=timedelta(seconds=0.3)),
                head_bytes=MIB,
            )
