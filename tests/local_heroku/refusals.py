"""Every way the local Heroku says no, with Heroku's status, id and wording."""

from typing import Any


class Refusal(Exception):
    """An answer that is not a success; rendered in one place. Without an id it has an empty body."""

    def __init__(self, status: int, error_id: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": error_id, "message": message, **more} if error_id else {}

    @property
    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        return self.status, self.body


def no_version() -> Refusal:
    message = "The server cannot serve a response that the client accepts: name version 3 in the header Accept."
    return Refusal(406, "not_acceptable", message)


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


def unprocessable(message: str) -> Refusal:
    """As the Data API refuses."""
    return Refusal(422, "unprocessable_entity", message)


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


def bad_range(header: str) -> Refusal:
    return Refusal(416, "requested_range_not_satisfiable", f"Range {header!r} is not of the form `id ..; max=200`.")


def rate_limited() -> Refusal:
    message = "Your account has reached the API rate limit. Please wait a few minutes before making new requests."
    return Refusal(429, "rate_limit", message)


def two_factor(app: str) -> Refusal:
    return Refusal(403, "two_factor", "A second authentication factor or pre-authorization is required.", app=app)
