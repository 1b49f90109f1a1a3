"""What commands did: to attachments, releases and databases."""

from local_heroku.launcher import LocalHeroku


def unfollowed(heroku: LocalHeroku, addon: str) -> None:
    """Makes a follower a database of its own."""
    heroku.put(f"/client/v11/databases/{addon}/unfollow")
    status = f"/client/v11/databases/{addon}/wait_status"
    heroku.wait_until("the unfollow to end", lambda: not heroku.get(status)["waiting?"])


def descriptions(heroku: LocalHeroku, app: str) -> list[str]:
    return [str(r["description"]) for r in heroku.get(f"/apps/{app}/releases")]


def names_of(heroku: LocalHeroku, app: str, addon: str) -> set[str]:
    """Under which names an add-on is attached to an app."""
    return {a["name"] for a in heroku.get(f"/apps/{app}/addon-attachments") if a["addon"]["name"] == addon}


def release_of(heroku: LocalHeroku, app: str, description: str) -> dict[str, str]:
    """The newest release whose description starts like that."""
    return next(r for r in reversed(heroku.get(f"/apps/{app}/releases")) if r["description"].startswith(description))


def running_variables(heroku: LocalHeroku, app: str) -> dict[str, str]:
    """The config vars of the release that the app's dynos run."""
    (current,) = [r["id"] for r in heroku.get(f"/apps/{app}/releases") if r["current"]]
    return dict(heroku.get(f"/apps/{app}/releases/{current}/config-vars"))
