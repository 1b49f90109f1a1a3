"""A proxy for Heroku's APIs, by the variables that every program of a network honours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from heroku_changeover.reach.address import address_from
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.proxy import proxy_for
from heroku_changeover.terms.errors import BadInput, HerokuUnreachable

API = "https://api.heroku.com"
SECRET = "s3cret-of-the-proxy"


@contextmanager
def proxy(seen: list[str]) -> Iterator[str]:
    """One that writes down what it is asked, and lets nobody through."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536).decode())
                connection.sendall(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_both_apis_are_asked_through_a_tunnel_of_the_proxy(variable: str) -> None:
    seen: list[str] = []
    with proxy(seen) as place:
        heroku = Heroku(address_from({"HEROKU_API_KEY": "a-token", variable: f"http://someone:{SECRET}@{place}"}))
        with pytest.raises(HerokuUnreachable) as refused:
            heroku.post("/apps")
        with pytest.raises(HerokuUnreachable) as refused_too:
            heroku.post_data("/client", {})

    assert [said.split()[:2] for said in seen] == [
        ["CONNECT", "api.heroku.com:443"],
        ["CONNECT", "api.data.heroku.com:443"],
    ]
    assert SECRET not in f"{refused.value} {refused_too.value}"
    assert all("Proxy-Authorization: Basic " in said and "a-token" not in said for said in seen)


def test_an_address_of_this_machine_never_goes_through_a_proxy() -> None:
    for url in ("http://127.0.0.1:5000", "https://localhost", "https://[::1]:5000"):
        assert proxy_for(url, {"HTTPS_PROXY": "http://proxy:3128"}) is None


@pytest.mark.parametrize(
    ("exceptions", "goes_through"),
    [
        ("", True),
        ("*", False),
        ("api.heroku.com", False),
        ("heroku.com", False),
        (".heroku.com", False),
        ("*.heroku.com", False),
        (".api.heroku.com", True),
        ("oku.com", True),
        ("example.com, HEROKU.COM", False),
        ("api.heroku.com:443", False),
        ("api.heroku.com:8443", True),
        ("10.0.0.0/8", True),
        ("::::, [", True),
    ],
)
def test_no_proxy_names_hosts_that_are_asked_directly(exceptions: str, goes_through: bool) -> None:
    found = proxy_for(API, {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": exceptions})

    assert (found is not None) == goes_through


@pytest.mark.parametrize("network", ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/32"])
def test_no_proxy_names_networks(network: str) -> None:
    assert proxy_for("https://10.1.2.3", {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": network}) is None


@pytest.mark.parametrize("wrong", [f"socks5://u:{SECRET}@host", "http://", f"http://u:{SECRET}@h:port", f"://{SECRET}"])
def test_what_is_no_proxy_is_refused_without_showing_it(wrong: str) -> None:
    with pytest.raises(BadInput, match="HTTPS_PROXY is not the address of a proxy") as refused:
        proxy_for(API, {"HTTPS_PROXY": wrong})

    assert SECRET not in str(refused.value)


def test_the_password_of_a_proxy_is_in_no_text_form() -> None:
    found = proxy_for(API, {"HTTPS_PROXY": f"http://someone:{SECRET}@proxy:3128"})

    assert found is not None
    assert found.url == "http://proxy:3128"
    assert SECRET not in repr(found)
