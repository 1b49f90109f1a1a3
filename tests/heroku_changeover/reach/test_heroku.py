"""The client, spoken to by a server that gives prepared answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from heroku_changeover.reach.address import Address, address_from
from heroku_changeover.reach.answers import LOOK_LIMIT, SHOWS, resolved
from heroku_changeover.reach.heroku import LONGEST, Heroku
from heroku_changeover.reach.tries import TRY_SECONDS
from heroku_changeover.reach.wait import Clock, limit
from heroku_changeover.rescue.keeper import SILENCE
from heroku_changeover.terms.errors import BadInput, Forbidden, HerokuError, HerokuUnreachable, NotFound

TOKEN = "token-for-tests"
NO_TIME = Clock(now=lambda: 0.0, sleep=lambda _: None)


class Answers(BaseHTTPRequestHandler):
    """Gives the prepared answers in turn and keeps what was asked; None breaks the connection."""

    prepared: ClassVar[list[tuple[int, dict[str, str], str] | None]] = []
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, dict(self.headers)))
        prepared = self.prepared.pop(0)
        if prepared is None:
            self.connection.close()
            return
        status, headers, body = prepared
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_PATCH = do_POST = do_PUT = answer  # noqa: N815 - the names that the library calls

    def log_message(self, *_: object) -> None:
        """Silent: the test shows what was asked."""


@pytest.fixture
def heroku() -> Iterator[Heroku]:
    Answers.prepared, Answers.asked = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    client = Heroku(Address(origin, origin, TOKEN))
    yield client
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


def refusal(status: int, error_id: str) -> tuple[int, dict[str, str], str]:
    return status, {"Request-Id": "request-7", "Retry-After": "0"}, json.dumps({"id": error_id, "message": "Sentence."})


OK: tuple[int, dict[str, str], str] = (200, {}, '{"ok":true}')


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["get", "patch"])
def test_a_read_and_a_patch_are_repeated_after_a_passing_error(heroku: Heroku, method: str, status: int) -> None:
    """A patch says how it is to be in the end, so that a second one does no harm."""
    Answers.prepared += [refusal(status, "passing"), OK]

    answer = heroku.get("/apps/shop") if method == "get" else heroku.patch("/apps/shop", {"maintenance": True})

    assert answer == {"ok": True}


def test_a_read_is_repeated_after_a_broken_connection(heroku: Heroku) -> None:
    Answers.prepared += [None, OK]

    assert heroku.get("/apps/shop") == {"ok": True}


@pytest.mark.parametrize("status", [500, 503])
def test_a_write_that_may_have_been_done_is_not_repeated(heroku: Heroku, status: int) -> None:
    Answers.prepared += [refusal(status, "internal"), OK]

    with pytest.raises(HerokuError):
        heroku.post("/addon-attachments", {})

    assert len(Answers.asked) == 1


def test_a_write_whose_answer_was_lost_is_not_repeated(heroku: Heroku) -> None:
    Answers.prepared += [None, OK]

    with pytest.raises(HerokuUnreachable):
        heroku.put_data("/client/v11/databases/db/unfollow")

    assert len(Answers.asked) == 1


def test_a_write_that_was_held_off_by_the_rate_limit_is_repeated(heroku: Heroku) -> None:
    """It is known not to have been carried out."""
    Answers.prepared += [refusal(429, "rate_limit"), OK]

    assert heroku.post("/addon-attachments", {}) == {"ok": True}


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (401, Forbidden), (403, Forbidden), (422, HerokuError)])
def test_a_refusal_keeps_what_heroku_said_and_the_request_id(
    heroku: Heroku, status: int, kind: type[HerokuError]
) -> None:
    Answers.prepared += [refusal(status, "the_id")]

    with pytest.raises(kind, match=r"GET /apps/shop: Sentence\. \(request request-7\)") as error:
        heroku.get("/apps/shop")

    assert error.value.error_id == "the_id"


def test_an_answer_that_is_not_json_is_said_so(heroku: Heroku) -> None:
    Answers.prepared += [(200, {}, "<html>")] * 3

    with pytest.raises(HerokuUnreachable, match="not JSON"):
        heroku.get("/apps/shop")


def test_a_read_that_was_answered_by_something_in_between_is_asked_again(heroku: Heroku) -> None:
    Answers.prepared += [(502, {}, "<html>"), (200, {}, "<html>"), (200, {}, '{"name": "shop"}')]

    assert heroku.get("/apps/shop") == {"name": "shop"}


def test_a_write_without_an_answer_that_was_carried_out_is_not_asked_for_again(heroku: Heroku) -> None:
    Answers.prepared += [None]

    resolved(lambda: heroku.post("/addon-attachments"), lambda: True, NO_TIME, print)

    assert len(Answers.asked) == 1


def test_a_write_without_an_answer_is_looked_for_when_it_can_be_seen(heroku: Heroku) -> None:
    Answers.prepared += [None]
    waited: list[float] = []
    clock = Clock(now=lambda: 0.0, sleep=waited.append)

    resolved(lambda: heroku.post("/addon-attachments"), lambda: sum(waited) >= SHOWS, clock, print)

    assert len(Answers.asked) == 1


def test_a_write_without_an_answer_that_was_not_carried_out_is_asked_for_again(heroku: Heroku) -> None:
    Answers.prepared += [None, refusal(503, "unavailable"), (201, {}, "{}")]

    resolved(lambda: heroku.post("/addon-attachments"), lambda: False, NO_TIME, print)

    assert len(Answers.asked) == 3


def test_a_look_for_a_write_without_an_answer_is_short_and_a_word_is_said_before_it(heroku: Heroku) -> None:
    """Heroku answers late, time and again; whoever says nothing for minutes is taken to hang."""
    said: list[str] = []
    looks: list[float] = []
    clock = Clock(sleep=lambda _: None)

    def look() -> bool:
        looks.append(limit() - clock.now())
        assert len(said) == len(looks)
        return False

    Answers.prepared += [refusal(503, "unavailable")] * 3
    with pytest.raises(HerokuError):
        resolved(lambda: heroku.post("/addon-attachments"), look, clock, said.append)

    assert looks == pytest.approx([LOOK_LIMIT] * 3, abs=1)
    assert all("503" in line for line in said)
    assert TRY_SECONDS + LONGEST + LOOK_LIMIT < SILENCE


def test_a_write_that_heroku_refuses_is_not_asked_for_again(heroku: Heroku) -> None:
    Answers.prepared += [refusal(422, "invalid_params")]

    with pytest.raises(HerokuError, match="Sentence"):
        resolved(lambda: heroku.post("/addon-attachments"), lambda: False, NO_TIME, print)
    assert len(Answers.asked) == 1


def test_a_write_that_never_succeeds_ends_with_what_heroku_said(heroku: Heroku) -> None:
    Answers.prepared += [refusal(500, "internal_server_error")] * 3

    with pytest.raises(HerokuError, match="internal_server_error"):
        resolved(lambda: heroku.post("/addon-attachments"), lambda: False, NO_TIME, print)


def test_a_list_is_read_to_its_last_page(heroku: Heroku) -> None:
    Answers.prepared += [(206, {"Next-Range": "id c..; max=2"}, '["a","b"]'), (200, {}, '["c"]')]

    assert heroku.get("/apps") == ["a", "b", "c"]
    assert Answers.asked[1][2]["Range"] == "id c..; max=2"


def test_the_token_is_in_no_text_form() -> None:
    assert TOKEN not in repr(Address("https://api.heroku.com", "https://api.data.heroku.com", TOKEN))


def test_heroku_itself_is_the_default() -> None:
    address = address_from({"HEROKU_API_KEY": TOKEN})

    assert (address.platform, address.data) == ("https://api.heroku.com", "https://api.data.heroku.com")


def test_a_token_for_a_local_heroku_never_goes_to_the_real_data_api() -> None:
    address = address_from({"HEROKU_API_KEY": TOKEN, "HEROKU_API_URL": "http://127.0.0.1:5000/"})

    assert address.data == "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"HEROKU_API_URL": "http://example.test"}, "not an https address"),
        ({"HEROKU_API_URL": "http://127.0.0.1:1", "HEROKU_DATA_API_URL": "https://api.data.heroku.com"}, "or neither"),
        ({"HEROKU_API_KEY": "", "NETRC_PATH": "/nonexistent"}, "set HEROKU_API_KEY"),
        ({"HEROKU_API_KEY": "  ", "NETRC_PATH": "/nonexistent"}, "set HEROKU_API_KEY"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        address_from({"HEROKU_API_KEY": TOKEN, **environ})
