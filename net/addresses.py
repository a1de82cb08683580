"""Which IP addresses belong to the public internet.

A table of our own, because Python's `is_global` and `is_private` were wrong for years (CVE-2024-4032): on 3.11.7
NAT64 and 6to4 forms of 127.0.0.1, multicast and site-local addresses all count as global.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

_BLOCKED_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; clouds keep their metadata here
        "172.16.0.0/12",  # private
        "192.0.0.0/16",  # protocol assignments, documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)

# All of today's unicast internet. Outside it lie ::1, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), unique local, link-local,
# site-local and multicast addresses, and whatever IANA hands out next.
_UNICAST_IPV6 = IPv6Network("2000::/3")

_BLOCKED_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address of any kind hides inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/16",  # documentation
    )
)

_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


def is_public(address: Address | str) -> bool:
    """Whether a connection to it leaves for the public internet. Text that is no address is not public."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(parsed.ipv4_mapped)
        return parsed in _UNICAST_IPV6 and not any(parsed in network for network in _BLOCKED_IPV6)
    return not any(parsed in network for network in _BLOCKED_IPV4)


def read_literal(host: str) -> Address | None:
    """The address a host spells out, or None for a name. ValueError for a spelling that nobody needs.

    `127.1`, `0x7f000001`, `017700000001` and `2130706433` are 127.0.0.1 to the C library, and `010.0.0.1` is one
    address to some readers and another to others. Browsers call every host that ends in a number an IPv4 address; we
    do too, and take only the plain dotted form. Zone ids (`fe80::1%eth0`) name our own interfaces, never a peer.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an address with a zone")
        return IPv6Address(host)
    if _ENDS_IN_NUMBER.search(host):
        return IPv4Address(host.removesuffix("."))
    return None
