"""Attachments: an add-on under a name in an app; every change of one is a release of that app."""

from typing import Any

from local_heroku import refusals, releases
from local_heroku.world import Addon, App, Attachment, World

COLOURS = (
    "AMBER",
    "AQUA",
    "BLACK",
    "BLUE",
    "BRONZE",
    "BROWN",
    "CHARCOAL",
    "COBALT",
    "COPPER",
    "CRIMSON",
    "CYAN",
    "GOLD",
    "GRAY",
    "GREEN",
    "IVORY",
    "JADE",
    "MAGENTA",
    "MAROON",
    "MAUVE",
    "NAVY",
    "OLIVE",
    "ONYX",
    "ORANGE",
    "PINK",
    "PUCE",
    "PURPLE",
    "RED",
    "ROSE",
    "SILVER",
    "TEAL",
    "VIOLET",
    "WHITE",
    "YELLOW",
)


def free_name(world: World, app: App) -> str:
    """DATABASE for the first database of an app, then a colour."""
    taken = {a.name for a in world.attachments_of(app)}
    if "DATABASE" not in taken:
        return "DATABASE"
    free = [f"HEROKU_POSTGRESQL_{colour}" for colour in COLOURS]
    return next(name for name in free if name not in taken)


def attach(world: World, app: App, addon: Addon, body: dict[str, Any]) -> Attachment:
    """
    POST /addon-attachments: a name that is taken is replaced when the app's name is given as confirmation.

    A replacement makes two releases, Detach and then Attach; there is no release that does both.
    """
    name, namespace = body.get("name") or free_name(world, app), body.get("namespace")
    refuse_unconfirmed(world, app, {**body, "name": name})
    _refuse_unknown_credential(addon, namespace)
    if refused := {name, namespace} & set(addon.refuses):
        raise refusals.invalid(f"{addon.name} cannot be attached as {refused.pop()}.")
    taken = world.attachment_of(app, name)
    if taken is not None:
        _detach_for_replacement(world, app, taken)
    attachment = Attachment(name, addon, app, namespace)
    world.attachments[attachment.id] = attachment
    if namespace is None and addon.app is app:
        addon.config_vars = sorted({*addon.config_vars, f"{name}_URL"})
    releases.announce(world, app, f"Attach {name} (@ref:{addon.name})")
    return attachment


def _refuse_unknown_credential(addon: Addon, namespace: str | None) -> None:
    kind, _, name = (namespace or "").partition(":")
    if kind == "credential" and name not in addon.credentials:
        raise refusals.invalid(f"The credential {name} does not exist on the database {addon.name}.")


def refuse_unconfirmed(world: World, app: App, body: dict[str, Any]) -> None:
    """A name that is taken is given away only when the app's name comes along as `confirm`."""
    taken = world.attachment_of(app, str(body.get("name")))
    if taken is not None and body.get("confirm") != app.name:
        raise refusals.confirmation_required(app.name, f"{taken.name} is already attached to {taken.addon.name}.")


def _detach_for_replacement(world: World, app: App, taken: Attachment) -> None:
    refuse_last(world, taken)
    del world.attachments[taken.id]
    _forget_var(taken)
    releases.announce(world, app, f"Detach {taken.name} (@ref:{taken.addon.name})")


def _forget_var(gone: Attachment) -> None:
    if gone.addon.app is gone.app:
        gone.addon.config_vars = [v for v in gone.addon.config_vars if v != f"{gone.name}_URL"]


def refuse_last(world: World, attachment: Attachment) -> None:
    """The last attachment of an add-on on the app that pays for it cannot be taken away."""
    addon, app = attachment.addon, attachment.app
    if addon.app is app and [a for a in world.attachments_to(addon) if a.app is app] == [attachment]:
        raise refusals.last_billing_attachment(attachment.name, app.name, addon.name)


def detach(world: World, attachment: Attachment) -> None:
    refuse_last(world, attachment)
    del world.attachments[attachment.id]
    _forget_var(attachment)
    releases.announce(world, attachment.app, f"Detach {attachment.name} (@ref:{attachment.addon.name})")
