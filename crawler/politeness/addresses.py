"""Which addresses may be fetched: public ones only, whatever form they come in.

The tables are IANA's special-purpose address registries (RFC 6890), as of 2025-10: what they call not globally
reachable, what is reserved or for multicast, and what is reachable but nobody's web server. Python's own `is_global`
differs from version to version and leaves some of it out.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_IPV4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private use (RFC 1918)
        "100.64.0.0/10",  # shared by a provider's customers (RFC 6598); a cloud's metadata service
        "127.0.0.0/8",  # loopback (RFC 1122)
        "168.63.129.16/32",  # Azure's platform, from every machine of it
        "169.254.0.0/16",  # link local (RFC 3927); most clouds' metadata service
        "172.16.0.0/12",  # private use (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890); a cloud's metadata service
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "192.168.0.0/16",  # private use (RFC 1918)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved (RFC 1112), broadcast (RFC 919)
    )
]
#: All unicast that is assigned (RFC 4291, 2.4); link local, site local, unique local and the rest are outside.
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments (RFC 2928): benchmarks, ORCHID, anycast of protocols
        "2001:db8::/32",  # documentation (RFC 3849)
        "3fff::/20",  # documentation (RFC 9637)
    )
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: What ends an interface's identifier that has an IPv4 address behind it (ISATAP; RFC 5214, 6.1).
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_literal(host: str) -> bool:
    """Whether a host is an address itself, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(text: str) -> bool:
    """Whether an address literal is globally reachable unicast, looking into IPv6 forms that carry an IPv4 address.

    Mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96), 6to4 (2002::/16), Teredo (2001::/32) and ISATAP are judged by the
    address inside too (RFC 4291, 6052, 3056, 4380, 5214). IPv4-compatible ones (::/96) are deprecated and refused.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.teredo is not None:
        return all(map(_is_public_v4, address.teredo))
    return _is_public_v6(address)


def is_loopback(host: str) -> bool:
    """Whether a host name or address (no brackets) can mean nothing but this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return not any(address in network for network in _IPV4)


def _is_public_v6(address: ipaddress.IPv6Address) -> bool:
    if address not in _IPV6_UNICAST or any(address in network for network in _IPV6):
        return False
    if address.sixtofour is not None and not _is_public_v4(address.sixtofour):
        return False
    end = int(address) & 0xFFFFFFFFFFFFFFFF
    return end >> 32 not in _ISATAP or _is_public_v4(ipaddress.IPv4Address(end & 0xFFFFFFFF))
