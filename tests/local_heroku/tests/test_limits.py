"""Pages, the rate limit and latency of the local Heroku."""

import pytest

from local_heroku.latency import PROFILES, Latency
from local_heroku.launcher import LocalHeroku
from local_heroku.paging import page_of
from local_heroku.refusals import Refusal

ROWS = [{"id": f"{n:03}", "version": n} for n in range(1, 451)]


def pages(header: str) -> list[list[int]]:
    """Every page from the first one on, as a client that echoes Next-Range gets them."""
    found = []
    while True:
        page = page_of(ROWS, header)
        found.append([row["version"] for row in page.rows])
        if not page.rest:
            return found
        header = page.rest


def test_a_list_comes_in_pages_of_200_that_together_are_the_whole_list() -> None:
    shown = pages("")

    assert [len(page) for page in shown] == [200, 200, 50]
    assert [n for page in shown for n in page] == list(range(1, 451))


def test_the_newest_come_first_where_the_order_is_turned() -> None:
    assert page_of(ROWS, "version ..; max=5, order=desc").rows == ROWS[:-6:-1]


def test_pages_in_turned_order_go_on_where_the_last_one_ended() -> None:
    assert [n for page in pages("version ..; max=100, order=desc") for n in page] == list(range(450, 0, -1))


def test_the_last_page_names_no_next_one() -> None:
    assert page_of(ROWS[:200], "").rest == ""


@pytest.mark.parametrize(
    "header", ["version", "version ..; max=0", "version ..; max=1001", "name ..", "id ..; order=up"]
)
def test_a_range_that_is_not_understood_is_refused(header: str) -> None:
    with pytest.raises(Refusal) as refused:
        page_of(ROWS, header)

    assert refused.value.status == 416


def test_an_account_without_requests_left_is_refused_and_may_still_ask_for_its_limit(heroku: LocalHeroku) -> None:
    heroku.patch("/_control/world", {"rate_limit": -100})
    refused, limits = heroku.call("GET", "/apps"), heroku.call("GET", "/account/rate-limits")
    heroku.patch("/_control/world", {"rate_limit": None})

    assert (refused[0], refused[1]["id"]) == (429, "rate_limit")
    assert limits[0] == 200


def test_a_request_that_names_no_version_is_not_acceptable(heroku: LocalHeroku) -> None:
    status, body = heroku.call("GET", "/apps", headers={"Accept": "*/*"})

    assert (status, body["id"]) == (406, "not_acceptable")


def test_the_same_seed_waits_the_same_and_another_seed_does_not() -> None:
    first, second, other = (Latency(PROFILES["realistic"], seed) for seed in (1, 1, 2))

    drawn = [[latency.draw("boot") for _ in range(5)] for latency in (first, second, other)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_what_is_drawn_lies_in_the_span_of_its_kind() -> None:
    latency = Latency(PROFILES["realistic"], 1)
    shortest, longest = PROFILES["realistic"].answer

    assert all(shortest <= latency.draw("answer") <= longest for _ in range(100))
