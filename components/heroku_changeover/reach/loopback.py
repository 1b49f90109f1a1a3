"""Whether an address is this very machine's: only there neither TLS nor a proxy is needed."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine."""
    try:
        return is_this_machine(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_this_machine(host: str) -> bool:
    """
    Whether it is `localhost`, or a loopback address written out in full. What a resolver would have to complete or to
    look up (`127.1`, `localhost.`, `127.evil.example`) may be anywhere.
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
