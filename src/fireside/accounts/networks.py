"""Where somebody comes from, as far as it tells them apart from others."""

import ipaddress

# Whoever has one address of this size of network has all of them.
_IPV6_PREFIX = 64


def network_of(address: str) -> str:
    """Give the address, or of IPv6 the network that one household or machine has; what is no address stays as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
    return str(found)
