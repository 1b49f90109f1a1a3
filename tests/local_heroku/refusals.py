"""Every way the local Heroku says no, with Heroku's status, id and wording."""

from typing import Any


class Refusal(Exception):
    """An answer that is not a success; rendered in one place."""

    def __init__(self, status: int, error_id: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": error_id, "message": message, **more}


def unauthorized() -> Refusal:
    return Refusal(401, "unauthorized", "Invalid credentials provided.")


def forbidden(app: str) -> Refusal:
    return Refusal(403, "forbidden", f"You do not have access to the app {app}.", app=app)


def no_app() -> Refusal:
    return Refusal(404, "not_found", "Couldn't find that app.", resource="app")


def no_addon() -> Refusal:
    return Refusal(404, "not_found", "Couldn't find that add on.", resource="add_on")


def no_attachment() -> Refusal:
    return Refusal(404, "not_found", "Couldn't find that add on attachment.", resource="add_on attachment")


def not_found(what: str) -> Refusal:
    return Refusal(404, "not_found", f"Couldn't find that {what}.", resource=what)


def no_plan(plan: str) -> Refusal:
    return invalid(f"Couldn't find either the add-on service or the add-on plan of {plan}.")


def invalid(message: str) -> Refusal:
    return Refusal(422, "invalid_params", message)


def by_provider(plan: str, reason: str) -> Refusal:
    message = f"We tried to create {plan}, but received an error from the add-on provider: {reason}"
    return Refusal(422, "addon_error", message)


def confirmation_required(app: str, what: str) -> Refusal:
    return Refusal(422, "confirmation_required", f"{what} To proceed, resend with confirm set to {app}.")


def last_billing_attachment(name: str, app: str, addon: str) -> Refusal:
    return invalid(
        f"{name} on {app} is the last billing attachment to {addon}; either remove the add-on entirely or add a new "
        "attachment to it before replacing its config vars."
    )
