"""Objects as the Platform API shows them."""

from typing import Any

from local_heroku.dynos import Dyno
from local_heroku.plans import Plan
from local_heroku.world import Addon, App, Attachment, ProcessType, Release, World, new_id, now

Json = dict[str, Any]
_SERVICE_IDS: dict[str, str] = {}
_USER = {"id": new_id(), "email": "owner@example.test"}


def _stable_id(name: str) -> str:
    return _SERVICE_IDS.setdefault(name, new_id())


def reference(thing: App | Addon) -> Json:
    return {"id": thing.id, "name": thing.name}


def app(a: App, accepted: str = "") -> Json:
    """The version that clients are made for, `3.sdk`, has the generation by its name alone."""
    generation = {"id": _stable_id(a.generation), "name": a.generation}
    return {
        "id": a.id,
        "name": a.name,
        "maintenance": a.maintenance,
        "space": a.space,
        "generation": a.generation if "version=3.sdk" in accepted else generation,
        "owner": _USER,
        "region": {"id": _stable_id("us"), "name": "us"},
        "stack": {"id": _stable_id("heroku-24"), "name": "heroku-24"},
        "build_stack": {"id": _stable_id("heroku-24"), "name": "heroku-24"},
        "team": None,
        "organization": None,
        "acm": False,
        "internal_routing": None,
        "archived_at": None,
        "git_url": f"https://git.example.test/{a.name}.git",
        "web_url": f"http://127.0.0.1:{a.web_port}/",
        "repo_size": None,
        "slug_size": 20_000_000,
        "created_at": a.created_at,
        "updated_at": now(),
    }


def account() -> Json:
    return {**_USER, "name": "Owner", "verified": True, "two_factor_authentication": False, "beta": False}


def service(name: str) -> Json:
    return {
        "id": _stable_id(name),
        "name": name,
        "human_name": "Heroku Postgres",
        "state": "ga",
        "cli_plugin_name": name,
        "supports_multiple_installations": True,
        "supports_sharing": True,
    }


_PRICE = {"cents": 0, "contract": True, "unit": "month", "metered": False}
"""By contract: the form of a price that names no amount, since amounts are known only to those with an account."""


def plan(p: Plan) -> Json:
    return {
        **_plan_reference(p),
        "price": _PRICE,
        "state": "ga",
        "description": p.name,
        "human_name": p.name.replace("-", " ").title(),
        "space_default": False,
    }


def _plan_reference(p: Plan) -> Json:
    return {"id": _stable_id(p.full_name), "name": p.full_name}


def addon(a: Addon, expanded: str = "") -> Json:
    """With `plan` or `addon_service` named in Accept-Expansion, these come whole; else by id and name."""
    wanted = {word.strip() for word in expanded.split(",")}
    return {
        "id": a.id,
        "name": a.name,
        "state": a.state,
        "app": reference(a.app),
        "addon_service": service(a.service)
        if "addon_service" in wanted
        else {"id": _stable_id(a.service), "name": a.service},
        "plan": plan(a.plan) if "plan" in wanted else _plan_reference(a.plan),
        "billing_entity": {"id": a.app.id, "name": a.app.name, "type": "app"},
        "billed_price": _PRICE,
        "config_vars": a.config_vars,
        "provider_id": a.id,
        "provision_message": f"{a.name} is being created." if a.state == "provisioning" else "",
        "actions": [],
        "web_url": None,
        "created_at": a.created_at,
        "updated_at": now(),
    }


def attachment(a: Attachment, included: str = "") -> Json:
    """With `addon:plan` named in Accept-Inclusion the add-on's plan comes along, with `config_vars` their names."""
    wanted = {word.strip() for word in included.split(",")}
    more = {"plan": _plan_reference(a.addon.plan)} if "addon:plan" in wanted else {}
    variables = {"config_vars": [f"{a.name}_URL"]} if "config_vars" in wanted else {}
    return {
        "id": a.id,
        "name": a.name,
        "namespace": a.namespace,
        "addon": {**reference(a.addon), "app": reference(a.addon.app), **more},
        "app": reference(a.app),
        **variables,
        "log_input_url": None,
        "web_url": None,
        "created_at": a.created_at,
        "updated_at": now(),
    }


def formation(a: App, p: ProcessType) -> Json:
    return {
        "id": p.id,
        "type": p.type,
        "quantity": p.quantity,
        "size": p.size,
        "dyno_size": {"id": _stable_id(p.size), "name": p.size},
        "command": p.command,
        "app": reference(a),
        "created_at": a.created_at,
        "updated_at": now(),
    }


def dyno(a: App, d: Dyno) -> Json:
    return {
        "id": d.id,
        "name": d.name,
        "type": d.type,
        "state": d.state,
        "release": {"id": d.release_id, "version": d.version},
        "size": d.size,
        "command": d.command,
        "app": reference(a),
        "attach_url": None,
        "created_at": d.created_at,
        "updated_at": d.updated_at,
    }


def release(world: World, a: App, r: Release) -> Json:
    return {
        "id": r.id,
        "version": r.version,
        "description": r.description,
        "status": r.status,
        "current": r.current,
        "user": _USER,
        "app": reference(a),
        "slug": None,
        "addon_plan_names": sorted({x.addon.plan.full_name for x in world.attachments_of(a)}),
        "output_stream_url": None,
        "eligible_for_rollback": False,
        "artifacts": [],
        "created_at": r.created_at,
        "updated_at": now(),
    }
