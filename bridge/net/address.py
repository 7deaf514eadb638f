"""Network addresses: which can only be this machine itself, where passwords may go in clear."""

from __future__ import annotations

from ipaddress import ip_address, ip_network


def is_loopback(host: str) -> bool:
    """Tell whether ``host``, an address or a name, can only be this machine itself.

    ``::ffff:127.0.0.1`` is how a socket for both families shows 127.0.0.1 (RFC 4291 §2.5.5.2);
    what follows ``%`` is a zone (RFC 4007 §11).
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"))
)


def is_private(host: str) -> bool:
    """Tell whether ``host`` can only be this machine or one of a private network.

    Only an address tells that of another machine: whose a name is may change.
    """
    if is_loopback(host):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped.version == one.version and mapped in one for one in _PRIVATE)
