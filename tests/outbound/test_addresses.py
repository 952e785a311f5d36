"""Which addresses are public: rules over all addresses, and the ranges by name."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.outbound.addresses import is_metadata, is_public, parse_network, plain

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9"),
    *("169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200"),
    *("::", "::1", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::1"),
    *("100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1"),
    *("2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "fc00::1", "fd00:ec2::254", "fd12:3456::1", "fe80::1"),
    *("fe80::1%eth0", "2600::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "e000::1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1", "198.17.0.1"),
    *("223.255.255.255", "9.255.255.255", "11.0.0.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"),
    *("64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860:4860::8888"),
]
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_an_address_of_a_special_range_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_public_network_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_whatever_python_itself_knows_as_special_is_not_public(address: IPv4Address | IPv6Address) -> None:
    special = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if special or address.is_reserved or address.is_unspecified:
        inner = plain(address)
        wraps = isinstance(inner, IPv6Address) and (inner.sixtofour or inner in IPv6Network("64:ff9b::/96"))
        assert not is_public(address) or wraps or inner != address


@given(V4)
def test_an_address_that_wraps_another_is_as_public_as_what_it_wraps(address: IPv4Address) -> None:
    mapped = IPv6Address(0xFFFF << 32 | int(address))
    nat64 = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    sixtofour = IPv6Address(0x2002 << 112 | int(address) << 80 | 1)
    assert {is_public(mapped), is_public(nat64), is_public(sixtofour)} == {is_public(address)}


@given(st.integers(0, 2**125 - 1))
def test_nothing_outside_of_the_public_ipv6_space_is_public_but_what_wraps(rest: int) -> None:
    for prefix in (0, *range(2, 8)):
        address = IPv6Address(prefix << 125 | rest)
        if plain(address) == address and address not in IPv6Network("64:ff9b::/96"):
            assert not is_public(address)


@given(V4)
def test_a_metadata_service_is_known_in_its_mapped_form_too(address: IPv4Address) -> None:
    assert is_metadata(IPv6Address(0xFFFF << 32 | int(address))) == is_metadata(address)
    assert is_metadata(IPv6Address("::ffff:169.254.169.254"))


def test_addresses_and_networks_are_read_and_names_are_not() -> None:
    assert parse_network("10.0.0.0/8") == IPv4Network("10.0.0.0/8")
    assert parse_network("[fd00::1]") == IPv6Network("fd00::1/128")
    assert parse_network("10.1.2.3/8") is None
    assert parse_network("models.lan") is None
