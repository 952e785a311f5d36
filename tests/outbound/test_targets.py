"""What a URL leads to, and which URLs lead nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.domain.errors import Refused
from fireside.outbound.errors import BadUrl, FetchFailed, HostNotAllowed, OutboundOff
from fireside.outbound.hosts import AllowedHosts
from fireside.outbound.targets import Target, check_url, join_url

EVERYTHING = AllowedHosts.parse("import_hosts", ["*"], [])


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://huggingface.co/a/b?c=d#e", Target("https", "huggingface.co", 443, b"/a/b?c=d")),
        ("HTTP://EXAMPLE.com.:80", Target("http", "example.com", 80, b"/")),
        ("http://faß.example/ä", Target("http", "xn--fa-hia.example", 80, b"/%C3%A4")),
        ("http://[2001:DB8:0::1]/", Target("http", "2001:db8::1", 80, b"/")),
    ],
)
def test_a_url_is_read(url: str, target: Target) -> None:
    assert check_url(url, EVERYTHING) == target


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "data:,x"),
        *("http://", "http:///x", "http://user@example.com/", "http://user:word@example.com/"),
        *("http://example.com:0/", "http://example.com:99999/", "http://exa mple.com/", "http://[fe80::1%25eth0]/"),
        *("http://[::1", "http://a%2fb/", "http://e\n.com/", "http://good.example\\@evil.example/", "http://①/"),
        *("http://xn--/", "http://xn--a/", "http://xn--a-ecp.ru/", "http://xn--zzzzzzzzz/"),
        "http://example.com/" + "x" * 5000,
    ],
)
def test_a_url_that_is_none_or_hides_something_is_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        check_url(url, EVERYTHING)


def test_a_host_that_is_not_listed_is_refused_by_the_name_of_the_setting() -> None:
    with pytest.raises(HostNotAllowed, match="import_hosts"):
        check_url("https://example.com:22/", EVERYTHING)


def test_while_no_host_is_listed_the_refusal_says_how_to_change_that() -> None:
    with pytest.raises(OutboundOff, match="import_hosts"):
        check_url("https://huggingface.co/", AllowedHosts.parse("import_hosts", [], []))


def test_a_redirect_is_read_from_where_it_comes() -> None:
    here = Target("https", "example.com", 443, b"/a/b")
    assert join_url(here, "../c", EVERYTHING) == Target("https", "example.com", 443, b"/c")
    assert join_url(here, "//other.example/x", EVERYTHING) == Target("https", "other.example", 443, b"/x")


@pytest.mark.parametrize(
    "location", ["http://example.com/", "ftp://x/", "http://[", "https://u:p@example.com/", "https://xn--/"]
)
def test_a_redirect_to_something_worse_is_refused(location: str) -> None:
    with pytest.raises(BadUrl):
        join_url(Target("https", "example.com", 443, b"/"), location, EVERYTHING)


def test_a_redirect_that_says_no_address_leads_nowhere() -> None:
    with pytest.raises(FetchFailed, match="without saying where to"):
        join_url(Target("https", "example.com", 443, b"/"), "", EVERYTHING)


@given(st.text(max_size=60).map("http://".__add__) | st.text(max_size=60))
def test_whatever_is_sent_as_a_url_is_read_or_refused(url: str) -> None:
    try:
        target = check_url(url, EVERYTHING)
    except Refused:
        return
    assert check_url(str(target), EVERYTHING) == target
