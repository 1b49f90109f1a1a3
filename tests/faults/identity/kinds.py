"""What each slip is: something that a person does, or that happens to a state, between two commands."""

import shutil
from collections.abc import Callable, Mapping
from typing import NamedTuple

from faults.identity.stage import THIRD, Stage, in_another


def _nothing(_: Stage) -> None:
    pass


class Kind(NamedTuple):
    """A slip, and what has to be so before the database is adopted, for it to be one."""

    slip: Callable[[Stage], None]
    before: Callable[[Stage], None] = _nothing


def _app_renamed(stage: Stage) -> None:
    later = f"{stage.name}-later"
    stage.heroku.patch(f"/apps/{stage.name}", {"name": later})
    stage.scene.app["name"] = later


def _primary_renamed(stage: Stage) -> None:
    stage.heroku.patch(f"/apps/{stage.name}/addons/{stage.primary}", {"name": f"{stage.name}-main"})


def _old_renamed(stage: Stage) -> None:
    stage.heroku.patch(f"/apps/{stage.name}/addons/{stage.old}", {"name": f"{stage.name}-old"})


def _component_renamed(stage: Stage) -> None:
    program = stage.scene.stack.project / "stacks" / "__main__.py"
    program.write_text(program.read_text().replace('Database("db", args)', 'Database("data", args)'))


def add_alias(stage: Stage, name: str) -> None:
    """The line that a refusal advises."""
    program = stage.scene.stack.project / "stacks" / "__main__.py"
    options = f"pulumi.ResourceOptions(aliases=[pulumi.Alias(name={name!r})])"
    program.write_text(program.read_text().replace('Database("data", args)', f'Database("data", args, {options})'))


def _component_aliased(stage: Stage) -> None:
    _component_renamed(stage)
    add_alias(stage, "db")


def _stack_renamed(stage: Stage) -> None:
    stage.must("stack", "rename", "production")
    in_another(stage, name="production")


def _adopt_another(stage: Stage) -> None:
    other = stage.order("standard-0")
    stage.fill(other)
    stage.config(adopt=stage.addon(other)["name"])


def _adopt_dropped(stage: Stage) -> None:
    stage.config(adopt="")


def _adopt_misspelt(stage: Stage) -> None:
    stage.config(adopt="postgresql-misspelt-1")


def _app_another(stage: Stage) -> None:
    stage.config(app=stage.new_app("other", plan=stage.settings["plan"])["name"])


def _app_and_adopt_another(stage: Stage) -> None:
    other = stage.new_app("other", plan=stage.settings["plan"])
    stage.config(app=other["name"], adopt=other["addon"])


def _apps_added(stage: Stage) -> None:
    stage.config(apps=[stage.new_app("admin")["name"]])


def _apps_listed(stage: Stage) -> None:
    stage.config(apps=[stage.new_app("admin", share=stage.scene.app["addon"])["name"]])


def _apps_dropped(stage: Stage) -> None:
    stage.config(apps=[])


def _state_lost(stage: Stage) -> None:
    shutil.rmtree(stage.scene.stack.backend)
    shutil.copytree(stage.new_stack.backend, stage.scene.stack.backend)


def _state_older(stage: Stage) -> None:
    if stage.earlier:
        shutil.rmtree(stage.scene.stack.backend)
        shutil.copytree(stage.earlier, stage.scene.stack.backend)


def _deleted(name: str) -> Callable[[Stage], None]:
    def slip(stage: Stage) -> None:
        stage.must("state", "delete", stage.urn(name), "--force", "--yes", "--target-dependents")

    return slip


def _tainted(name: str) -> Callable[[Stage], None]:
    def slip(stage: Stage) -> None:
        stage.must("state", "taint", stage.urn(name), "--yes")

    return slip


def _second_stack(stage: Stage) -> None:
    """It takes in what is DATABASE, and moves it on; where that is refused, it has at least tried."""
    second, primary = stage.another_stack(), stage.addon(stage.primary)
    lines = {"adopt": primary["name"], "plan": primary["plan"]["name"].partition(":")[2], "hold": "false"}
    for settings in (lines, {"plan": "standard-3"}):
        second.edit(settings)
        finished = second.pulumi("up", "--yes", "--skip-preview")
        stage.scene.said += [f"$ pulumi up, in the second stack, with {settings}", str(finished)]


def _by_hand(stage: Stage) -> None:
    """A changeover with Heroku's commands alone; the old database stays as it is."""
    leader, name = stage.addon(stage.primary), f"{stage.name}-by-hand"
    heroku, path = stage.heroku, f"/client/v11/databases/{name}"
    heroku.follow(stage.name, leader["name"], leader["plan"]["name"].partition(":")[2], name)
    heroku.put(f"{path}/unfollow")
    stage.wait("the unfollow", lambda: not heroku.get(f"{path}/wait_status")["waiting?"])
    stage.attach(str(heroku.get(f"/addons/{name}")["id"]))


def _upgraded(stage: Stage) -> None:
    primary, path = stage.primary, f"/apps/{stage.name}/addons/{stage.primary}"
    waiting = f"/client/v11/databases/{stage.addon(primary)['name']}/wait_status"
    stage.heroku.patch(path, {"plan": "heroku-postgresql:standard-5"})
    stage.wait("the plan to change", lambda: not stage.heroku.get(waiting)["waiting?"])


def _detached(stage: Stage) -> None:
    stage.spare(stage.primary)
    attachment = stage.heroku.get(f"/apps/{stage.name}/addon-attachments/DATABASE")
    stage.heroku.delete(f"/addon-attachments/{attachment['id']}")


def _old_named(stage: Stage) -> None:
    stage.attach(stage.old, "REPORTS")


def _empty_attached(stage: Stage) -> None:
    stage.attach(stage.order(THIRD))


KINDS: Mapping[str, Kind] = {
    "app-renamed": Kind(_app_renamed),
    "primary-renamed": Kind(_primary_renamed),
    "old-renamed": Kind(_old_renamed),
    "component-renamed": Kind(_component_renamed),
    "component-aliased": Kind(_component_aliased),
    "stack-renamed": Kind(_stack_renamed),
    "adopt-another": Kind(_adopt_another),
    "adopt-dropped": Kind(_adopt_dropped),
    "adopt-misspelt": Kind(_adopt_misspelt),
    "app-another": Kind(_app_another),
    "app-and-adopt-another": Kind(_app_and_adopt_another),
    "apps-added": Kind(_apps_added),
    "apps-dropped": Kind(_apps_dropped, before=_apps_listed),
    "state-lost": Kind(_state_lost),
    "state-older": Kind(_state_older),
    "state-deleted-old": Kind(_deleted("db-1-database")),
    "state-deleted-primary": Kind(_deleted("db-2-database")),
    "tainted-guard": Kind(_tainted("db-1-retire-guard")),
    "tainted-addon": Kind(_tainted("db-2-database")),
    "tainted-restore": Kind(_tainted("db-2-restore")),
    "second-stack": Kind(_second_stack),
    "by-hand": Kind(_by_hand),
    "upgraded": Kind(_upgraded),
    "detached": Kind(_detached),
    "old-named": Kind(_old_named),
    "empty-attached": Kind(_empty_attached),
}
