"""The operator's lists, as they are written and as they hold."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.config import Config, ConfigError
from fireside.outbound.errors import OutboundOff
from fireside.outbound.hosts import AllowedHosts
from fireside.outbound.purposes import way_for_imports


def allowed(*hosts: str, private: tuple[str, ...] = ()) -> AllowedHosts:
    return AllowedHosts.parse("import_hosts", hosts, private)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("*", "anything.example", 443),
        ("*", "1.2.3.4", 80),
        ("huggingface.co", "huggingface.co", 443),
        ("HuggingFace.co", "huggingface.co", 443),
        ("*.hf.co", "cdn.eu.hf.co", 443),
        ("models.lan:9000", "models.lan", 9000),
        ("models.lan:*", "models.lan", 12345),
        ("*:8443", "anything.example", 8443),
        ("10.1.2.3", "10.1.2.3", 80),
        ("[FD00:0::1]:8000", "fd00::1", 8000),
    ],
)
def test_an_entry_allows_what_it_names(entry: str, host: str, port: int) -> None:
    assert allowed(entry).allows_host(host, port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("*", "anything.example", 22),
        ("*", "anything.example", 8080),
        ("huggingface.co", "evil-huggingface.co", 443),
        ("huggingface.co", "huggingface.co.evil.example", 443),
        ("huggingface.co", "cdn.huggingface.co", 443),
        ("*.hf.co", "hf.co", 443),
        ("*.hf.co", "evilhf.co", 443),
        ("models.lan:9000", "models.lan", 443),
        ("models.lan", "models.lan", 9000),
        ("10.1.2.3", "10.1.2.4", 80),
    ],
)
def test_an_entry_allows_nothing_else(entry: str, host: str, port: int) -> None:
    assert not allowed(entry).allows_host(host, port)


@pytest.mark.parametrize(
    "entry", ["", "http://x", "a b", "x:", "x:port", "**.x", "a.*.b", "x/y", "user@x", "10.0.0.0/8"]
)
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=r"is no name"):
        allowed(entry)


@pytest.mark.parametrize("entry", ["*", "x:80", "10.0.0.1/8", "http://x"])
def test_not_every_host_can_be_private(entry: str) -> None:
    with pytest.raises(ValueError, match=r"is no name"):
        allowed("*", private=(entry,))


def test_an_empty_list_allows_nothing() -> None:
    assert not allowed().allows_any()
    assert not allowed().allows_host("huggingface.co", 443)


def test_a_private_address_is_reached_by_its_hosts_name_or_by_its_network() -> None:
    hosts = allowed("*", private=("models.lan", "*.inside", "10.1.0.0/16"))
    address = ip_address("192.168.1.1")
    assert hosts.allows_address("models.lan", address)
    assert hosts.allows_address("a.inside", address)
    assert not hosts.allows_address("other.lan", address)
    assert hosts.allows_address("other.lan", ip_address("10.1.2.3"))
    assert hosts.allows_address("other.lan", ip_address("::ffff:10.1.2.3"))
    assert not hosts.allows_address("other.lan", ip_address("10.2.2.3"))
    assert not hosts.allows_address("other.lan", ip_address("64:ff9b::10.1.2.3"))


def test_where_a_cloud_keeps_credentials_nothing_ever_leads() -> None:
    hosts = allowed("*", private=("models.lan", "0.0.0.0/0", "::/0"))
    for text in ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"):
        assert not hosts.allows_address("models.lan", ip_address(text))


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(host: str, private: str) -> None:
    try:
        hosts = allowed(host, private=(private,))
    except ValueError:
        return
    assert not hosts.allows_address("public.example", ip_address("169.254.169.254"))


def test_a_setting_that_cannot_be_read_keeps_the_server_from_starting() -> None:
    with pytest.raises(ConfigError, match="import_hosts, or outbound_private_hosts: 'http://x' is no name"):
        way_for_imports(Config(import_hosts=("http://x",)))


def test_by_default_nothing_goes_out() -> None:
    with pytest.raises(OutboundOff):
        way_for_imports(Config()).check("https://huggingface.co/")
