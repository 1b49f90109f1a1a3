"""The ways that there are: a new one is a folder beside `follow`, and one line here."""

from typing import TYPE_CHECKING

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.world import World
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.order import Order
from heroku_changeover.ways.follow.way import FOLLOW
from heroku_changeover.ways.way import Changeover, Keep, Proof, Way, unwatched

if TYPE_CHECKING:
    from heroku_changeover.terms.prospect import Prospect

WAYS: list[Way] = [FOLLOW]
"""In the order in which they are asked whether they fit."""


def way_for(prospect: "Prospect") -> Way:
    """The way for a move: the first one that fits; where none does, the one that says why there is no follower."""
    return next((way for way in WAYS if way.fits(prospect)), FOLLOW)


def way_named(name: str) -> Way:
    """
    Raises:
        BadInput: this program has no such way; a newer one may.
    """
    for way in WAYS:
        if way.name == name:
            return way
    raise BadInput(
        f"--way {name} is none of {', '.join(way.name for way in WAYS)}: this heroku-changeover is older than the one "
        "that declared the changeover; install that one"
    )


def proof_named(verify: str) -> Proof:
    """The proof behind each of the words of `verify`; a step starts with the one that it needs."""
    if verify == "sql":
        from heroku_changeover.ways.proofs.fenced import Fenced

        return Fenced()
    from heroku_changeover.ways.proofs.figure import ByFigure

    return ByFigure()


def changeover(order: Order, world: World, document: Document, keep: Keep = unwatched) -> Changeover:
    """
    A changeover that goes the way of its order.

    Raises:
        BadInput: this program has no such way.
    """
    return Changeover(order, way_named(order.way), proof_named(order.verify), world, document, keep)
