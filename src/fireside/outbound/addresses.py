"""Which addresses are public, after IANA's registries of special-purpose addresses.

Python's own `is_global` says otherwise from version to version, and takes an address that only wraps another one, such
as NAT64's, for public whatever it wraps. What may be reached in spite of this is decided by the caller.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 6890 and its successors: everything that is not globally reachable, multicast and what is reserved included.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
# All that is ever given out for the public network, and the parts of it that are set apart: Teredo and other protocols,
# documentation, and 6to4, which wraps.
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")

# Where clouds tell a machine its credentials: AWS and most others, AWS's tasks, Alibaba, Oracle, Azure, whose address
# looks like any public one, and AWS again.
_METADATA = frozenset(
    map(IPv4Address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
) | {IPv6Address("fd00:ec2::254")}


def plain(address: Address) -> Address:
    """Give the IPv4 address of an IPv4-mapped one, which systems connect to; any other address as it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_public(address: Address) -> bool:
    """Whether the address is one of the public network, and wraps none that is not."""
    address = plain(address)
    if is_metadata(address):
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour is not None:
        return is_public(address.sixtofour)
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_metadata(address: Address) -> bool:
    """Whether machines in a cloud find credentials there: nobody's URL ever leads there, whatever is allowed."""
    return plain(address) in _METADATA


def parse_network(text: str) -> Network | None:
    """Read an address or a network as a network; None for what is neither."""
    try:
        return ip_network(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
