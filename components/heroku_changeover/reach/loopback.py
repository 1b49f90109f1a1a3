"""Whether an address is this very machine's: only there neither TLS nor a proxy is needed."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """
    Whether a URL names this very machine: `localhost`, or a loopback address written out in full. What a resolver would
    have to complete or to look up (`127.1`, `localhost.`, `127.evil.example`) may be anywhere.
    """
    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost":
            return True
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
