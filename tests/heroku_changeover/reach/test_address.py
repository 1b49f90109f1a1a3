"""Where Heroku is, and with which token: nothing is taken for this machine, or for a host, that is not."""

from pathlib import Path

import pytest

from heroku_changeover.reach.address import address_from, origins_from
from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.terms.errors import BadInput, NoToken

TOKEN = "token-for-tests"

LOCAL = [
    "http://localhost",
    "http://LOCALHOST:5000/",
    "http://127.0.0.1:5000",
    "postgres://u:p@127.8.9.1:5432/d",
    "http://[::1]:5000",
    "http://[::ffff:127.0.0.1]",
]
ELSEWHERE = [
    "http://127.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://127.1",
    "http://127.0.0.1.",
    "http://localhost.",
    "http://0.0.0.0",
    "http://[::]",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://[::ffff:10.0.0.1]",
    "http://127.0.0.1@evil.example",
    "http://evil.example#127.0.0.1",
    "http://evil.example\\@127.0.0.1.example",
    "http://[::1",
    "127.0.0.1",
    "",
]


@pytest.mark.parametrize("url", LOCAL)
def test_a_whole_address_of_this_machine_is_local(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_only_looks_like_this_machine_is_not_local(url: str) -> None:
    """There neither TLS nor a proxy would be asked for."""
    assert not is_loopback(url)


@pytest.mark.parametrize("url", [u for u in ELSEWHERE if u.startswith("http://")])
def test_no_token_is_sent_without_tls_to_what_only_looks_like_this_machine(url: str) -> None:
    with pytest.raises(BadInput):
        address_from({"HEROKU_API_KEY": TOKEN, "HEROKU_API_URL": url})


@pytest.mark.parametrize(
    "same",
    [
        "https://api.heroku.com",
        "https://API.HEROKU.COM",
        "HTTPS://Api.Heroku.Com/",
        "https://api.heroku.com:443",
        "https://api.heroku.com.",
        " https://api.heroku.com// ",
    ],
)
def test_heroku_itself_has_its_data_api_however_its_address_is_spelled(same: str) -> None:
    assert origins_from({"HEROKU_API_URL": same}) == ("https://api.heroku.com", "https://api.data.heroku.com")


@pytest.mark.parametrize("url", ["https://a\nb", "https://a b", "https://höst", "https://a\x00b", "https://h/\x7f"])
def test_an_address_that_no_host_has_is_refused(url: str) -> None:
    if url == "https://a\nb":  # what the library leaves out of an address
        assert origins_from({"HEROKU_API_URL": url}).platform == "https://ab"
        return
    with pytest.raises(BadInput, match="not the address of an API"):
        origins_from({"HEROKU_API_URL": url})


def token_in(tmp_path: Path, text: str | bytes, **environ: str) -> str:
    (tmp_path / "netrc").write_bytes(text if isinstance(text, bytes) else text.encode())
    return address_from({"NETRC_PATH": str(tmp_path / "netrc"), **environ}).token


ENTRY = "machine api.heroku.com login me@example.com password the-token\n"


@pytest.mark.parametrize(
    "text",
    [
        ENTRY,
        ENTRY.replace(" ", "\n  "),
        "# a comment\n" + ENTRY,
        "machine other login x password other\n" + ENTRY,
        ENTRY + "machine api.heroku.com password a-second-one",
        "default login x password of-any-other\n" + ENTRY,
        "macdef init\n machine api.heroku.com password of-a-macro\n\n" + ENTRY,
        ENTRY.replace("api", "API"),
        ENTRY.encode() + "machine other login jürgen password x".encode("latin-1"),
        "machine x login jürgen password x\n".encode("latin-1") + ENTRY.encode(),
        b"\xff\xfe\x00\n" + ENTRY.encode(),
    ],
)
def test_the_token_that_heroku_login_left_is_found(tmp_path: Path, text: str | bytes) -> None:
    assert token_in(tmp_path, text) == "the-token"


@pytest.mark.parametrize(
    "text",
    [
        "default login x password of-any-other",
        "machine heroku.com password x",
        "machine xapi.heroku.com password x",
        "machine api.heroku.com login x\ndefault password x",
        "machine api.heroku.com login x\nmachine other password x",
        "machine",
        "machine api.heroku.com password",
        "password x",
        b"\xff\xfe\x00",
        "",
    ],
)
def test_what_is_for_another_host_is_not_sent(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(NoToken):
        token_in(tmp_path, text)


def test_an_entry_for_a_port_counts_for_that_port_alone(tmp_path: Path) -> None:
    entry = "machine 127.0.0.1:5000 password of-5000"

    assert token_in(tmp_path, entry, HEROKU_API_URL="http://127.0.0.1:5000") == "of-5000"
    with pytest.raises(NoToken):
        token_in(tmp_path, entry, HEROKU_API_URL="http://127.0.0.1:5001")


def test_a_netrc_that_is_no_file_has_no_token(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none", tmp_path / "a\x00b"):
        with pytest.raises(NoToken):
            address_from({"NETRC_PATH": str(path)})
