"""Network addresses: which can only be this machine itself, where passwords may go in clear."""

from __future__ import annotations

from ipaddress import ip_address


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
