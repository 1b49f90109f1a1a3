"""Ten databases in one update against one, and what a preview without changes costs."""

import time

from bench.stage import APP, NEW_PLAN, OLD_PLAN, BenchFailed, Stage

DATABASE = "Database('{name}', {{'app': {app!r}, 'plan': plan, 'adopt': {addon!r}}})\n"
PROGRAM = "import pulumi\nfrom heroku_postgres import Database\nplan = pulumi.Config().require('plan')\n"
STATIC = """
import pulumi
import pulumi_command as command
import pulumiverse_heroku as heroku

config = pulumi.Config()
database = pulumi.ComponentResource("heroku-postgres:index:Database", "db", {{}})
provider = heroku.Provider(
    "db-heroku",
    timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=1440),
    customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=False)],
    opts=pulumi.ResourceOptions(parent=database),
)
generation = pulumi.ComponentResource(
    "heroku-postgres:index:Generation", "db-1", {{}}, pulumi.ResourceOptions(parent=database, providers=[provider])
)
addon = heroku.addon.Addon(
    "db-1-database", app_id={app!r}, name={addon!r}, plan="heroku-postgresql:" + config.require("plan"),
    opts=pulumi.ResourceOptions(parent=generation, ignore_changes=["config"], import_={id_!r}, protect=True),
)
command.local.Command(
    "db-1-retire-guard", delete="true", opts=pulumi.ResourceOptions(parent=generation, depends_on=[addon])
)
generation.register_outputs({{}})
outputs = {{
    "primary": {addon!r}, "plan": config.require("plan"), "retired": [], "teardown": [], "summary": "settled",
    "last_changeover": "",
}}
database.register_outputs(outputs)
for name, value in outputs.items():
    pulumi.export(name, value)
"""
"""What the component declares for a database without changes, with the same outputs, and no look at Heroku."""


def databases(s: Stage, count: int, seed: int) -> float:
    """Seconds that one `pulumi up` takes to change the plan of that many databases, each of an app of its own."""
    names = [f"{APP}-{number}" for number in range(2, count + 1)]
    apps = [s.apps[0], *(s.heroku.create_app(name, web=1, worker=0, rows=10, plan=OLD_PLAN) for name in names)]
    rows = [DATABASE.format(name=f"db{n}", app=a["name"], addon=a["addon"]) for n, a in enumerate(apps, 1)]
    (s.stack.project / "stacks" / "__main__.py").write_text(PROGRAM + "".join(rows))
    s.stack.edit({"app": APP, "plan": OLD_PLAN})
    s.stack.pulumi("up", "--yes", "--skip-preview", check=True)
    s.heroku.patch("/_control/world", {"profile": "realistic", "seed": seed})
    s.stack.edit({"plan": NEW_PLAN})
    began = time.time()
    ran = s.stack.pulumi("up", "--yes", "--skip-preview", timeout=900)
    took = time.time() - began
    moved = [a["name"] for n, a in enumerate(apps, 1) if s.heroku.primary(a["name"]) == f"{a['name']}-db{n}-2"]
    if ran.code or len(moved) != count:
        raise BenchFailed(f"{len(moved)} of {count} databases moved: {ran}")
    return took


def previews(component: Stage, static: Stage, seed: int, times: int) -> dict[str, list[float]]:
    """Seconds of each preview without changes, of the component and of the same resources declared by hand."""
    for s in (component, static):
        s.stack.edit({"app": APP, "plan": OLD_PLAN, "adopt": s.addon})
    app = static.apps[0]
    program = STATIC.format(app=app["id"], addon=app["addon"], id_=app["addon_id"])
    (static.stack.project / "stacks" / "__main__.py").write_text(program)
    for s in (component, static):
        s.stack.pulumi("up", "--yes", "--skip-preview", check=True)
        s.heroku.patch("/_control/world", {"profile": "realistic", "seed": seed})
    if _declared(component) != _declared(static):
        raise BenchFailed(f"not the same resources: {_declared(component)} and {_declared(static)}")
    took: dict[str, list[float]] = {"component": [], "static": []}
    for _ in range(times):
        for name, s in (("component", component), ("static", static)):
            began = time.time()
            s.stack.pulumi("preview", "--expect-no-changes", check=True)
            took[name].append(time.time() - began)
    return took


def _declared(s: Stage) -> list[tuple[str, str]]:
    """
    Type and name of each resource in the state, but for the engine's own provider: the component asks it what the
    state has, which is part of what is measured.
    """
    rows = ((r["type"], r["urn"].rpartition("::")[2]) for r in s.stack.resources())
    return sorted(row for row in rows if row[0] != "pulumi:providers:pulumi")
