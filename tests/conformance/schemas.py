"""
JSON schemas of every object that Heroku's two APIs show to the clients here, and which answer has to be which.

Written from the documented shapes: every field that a client reads is required, and an object that is listed whole has
no other field than those that Heroku gives it. Each kind of answer has one status, and the form that its request asked
for by the version and the expansions in its headers.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = dict[str, Any]
Headers = Mapping[str, str]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "integer"}
NUMBER_OR_NULL: Schema = {"type": ["integer", "null"]}
UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"}
VARIABLE: Schema = {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"}
URL: Schema = {"type": "string", "pattern": "^postgres://[^@]+@[^/]+:[0-9]+/.+$"}
BARE_URL: Schema = {"type": ["string", "null"], "pattern": "^postgres://[^@]+:[0-9]+/.+$"}
ANYTHING: Schema = {}


def whole(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with all of the first fields, perhaps some of the second, and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": sorted(required),
        "additionalProperties": False,
    }


def list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


TIMES = {"created_at": MOMENT, "updated_at": MOMENT}
REFERENCE = whole({"id": UUID, "name": TEXT})
ACCOUNT = whole(
    {"id": UUID, "email": TEXT},
    {"name": TEXT_OR_NULL, "verified": FLAG, "two_factor_authentication": FLAG, "beta": FLAG},
)
PRICE = whole({"cents": NUMBER, "contract": FLAG, "unit": TEXT}, {"metered": FLAG})
PLAN = whole(
    {"id": UUID, "name": {"type": "string", "pattern": "^[a-z-]+:[a-z0-9-]+$"}, "price": PRICE},
    {"state": TEXT, "description": TEXT, "human_name": TEXT, "space_default": FLAG},
)
SERVICE = whole(
    {"id": UUID, "name": TEXT},
    {
        "human_name": TEXT,
        "state": TEXT,
        "cli_plugin_name": TEXT_OR_NULL,
        "supports_multiple_installations": FLAG,
        "supports_sharing": FLAG,
    },
)
APP_FIELDS = (
    {
        "id": UUID,
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,28}[a-z0-9]$"},
        "maintenance": FLAG,
        "space": {"type": ["object", "null"]},
        "owner": ANYTHING,
        "region": REFERENCE,
        "stack": REFERENCE,
        "git_url": TEXT,
        "web_url": TEXT_OR_NULL,
        **TIMES,
    },
    {
        "build_stack": REFERENCE,
        "team": {"type": ["object", "null"]},
        "organization": {"type": ["object", "null"]},
        "acm": FLAG,
        "internal_routing": {"type": ["boolean", "null"]},
        "archived_at": TEXT_OR_NULL,
        "repo_size": NUMBER_OR_NULL,
        "slug_size": NUMBER_OR_NULL,
    },
)


def app(asked: Headers) -> Schema:
    required, optional = APP_FIELDS
    return whole(
        {**required, "generation": TEXT if "version=3.sdk" in asked.get("accept", "") else REFERENCE}, optional
    )


def addon(asked: Headers) -> Schema:
    """What is named in Accept-Expansion comes whole, all else by id and name."""
    wanted = asked.get("accept-expansion", "").split(",")
    return whole(
        {
            "id": UUID,
            "name": {"type": "string", "pattern": "^[a-zA-Z][A-Za-z0-9_-]+$"},
            "state": {"enum": ["provisioning", "provisioned", "deprovisioning", "deprovisioned"]},
            "app": REFERENCE,
            "addon_service": SERVICE if "addon_service" in wanted else REFERENCE,
            "plan": PLAN if "plan" in wanted else REFERENCE,
            "billing_entity": whole({"id": UUID, "name": TEXT, "type": TEXT}),
            "billed_price": {"anyOf": [PRICE, {"type": "null"}]},
            "config_vars": list_of(VARIABLE),
            "provider_id": TEXT,
            "provision_message": TEXT,
            "actions": list_of(ANYTHING),
            "web_url": TEXT_OR_NULL,
            **TIMES,
        }
    )


def attachment(asked: Headers) -> Schema:
    """What is named in Accept-Inclusion comes along, and nothing else does."""
    wanted = asked.get("accept-inclusion", "").split(",")
    plan = {"plan": REFERENCE} if "addon:plan" in wanted else {}
    variables = {"config_vars": list_of(VARIABLE)} if "config_vars" in wanted else {}
    return whole(
        {
            "id": UUID,
            "name": VARIABLE,
            "namespace": TEXT_OR_NULL,
            "addon": whole({"id": UUID, "name": TEXT, "app": REFERENCE, **plan}),
            "app": REFERENCE,
            "log_input_url": TEXT_OR_NULL,
            "web_url": TEXT_OR_NULL,
            **variables,
            **TIMES,
        }
    )


FORMATION = whole(
    {
        "id": UUID,
        "type": {"type": "string", "pattern": r"^[-\w]{1,128}$"},
        "quantity": {"type": "integer", "minimum": 0},
        "size": TEXT,
        "dyno_size": REFERENCE,
        "command": TEXT,
        "app": REFERENCE,
        **TIMES,
    }
)
DYNO = whole(
    {
        "id": UUID,
        "name": {"type": "string", "pattern": r"^[-\w]+\.\d+$"},
        "type": TEXT,
        "state": {"enum": ["starting", "up", "stopping", "crashed", "down", "idle"]},
        "release": whole({"id": UUID, "version": NUMBER}),
        "size": TEXT,
        "command": TEXT,
        "app": REFERENCE,
        "attach_url": TEXT_OR_NULL,
        **TIMES,
    }
)
RELEASE = whole(
    {
        "id": UUID,
        "version": {"type": "integer", "minimum": 1},
        "description": TEXT,
        "status": {"enum": ["pending", "succeeded", "failed", "expired"]},
        "current": FLAG,
        "user": ANYTHING,
        "app": REFERENCE,
        "slug": {"type": ["object", "null"]},
        "addon_plan_names": list_of(TEXT),
        "output_stream_url": TEXT_OR_NULL,
        "eligible_for_rollback": FLAG,
        "artifacts": list_of(ANYTHING),
        **TIMES,
    }
)
CONFIG_VARS: Schema = {"type": "object", "additionalProperties": TEXT}
ROW = whole(
    {"name": TEXT, "values": list_of({"type": ["string", "integer"]})},
    {"resolve_db_name": FLAG},
)
DATABASE = whole(
    {
        "addon_id": UUID,
        "name": TEXT,
        "heroku_resource_id": UUID,
        "created_at": MOMENT,
        "plan": {"type": "string", "pattern": "^[a-z]+-[a-z0-9-]+$|^(mini|basic)$"},
        "port": NUMBER,
        "database_name": TEXT,
        "database_user": TEXT,
        "database_password": TEXT,
        "resource_url": URL,
        "formation": whole({"id": UUID, "primary": ANYTHING}),
        "metaas_source": TEXT,
        "metaas_server_source": TEXT,
        "credentials": {"type": "integer", "minimum": 1},
        "num_connections": NUMBER_OR_NULL,
        "num_connections_waiting": NUMBER_OR_NULL,
        "num_tables": NUMBER_OR_NULL,
        "num_bytes": NUMBER_OR_NULL,
        "postgres_version": TEXT_OR_NULL,
        "current_transaction": TEXT_OR_NULL,
        "target_transaction": TEXT_OR_NULL,
        "available_for_ingress": FLAG,
        "waiting?": FLAG,
        "hot_standby?": FLAG,
        "standalone?": FLAG,
        "is_in_recovery?": FLAG,
        "following": BARE_URL,
        "leader": {"anyOf": [whole({"addon_id": UUID, "name": TEXT}), {"type": "null"}]},
        "forked_from": BARE_URL,
        "info": list_of(ROW),
    }
)
WAIT_STATUS = whole({"message": TEXT, "waiting?": FLAG}, {"error?": FLAG, "step": TEXT})
MESSAGE = whole({"message": TEXT})
POOLING = whole({"status": {"enum": ["enabled", "disabled"]}, "message": TEXT})
POOL = whole({"name": VARIABLE})
CREDENTIAL = whole(
    {
        "uuid": UUID,
        "name": TEXT,
        "state": TEXT,
        "database": TEXT,
        "host": TEXT,
        "port": NUMBER,
        "credentials": list_of(whole({"user": TEXT, "password": TEXT, "state": TEXT})),
    }
)
SCHEDULE = whole(
    {
        "uuid": UUID,
        "name": TEXT,
        "hour": {"type": "integer", "minimum": 0, "maximum": 23},
        "timezone": TEXT,
        "days": list_of(TEXT),
        "retain_weeks": NUMBER,
        "retain_months": NUMBER,
        "callback_url": TEXT,
    }
)
MAINTENANCE = whole(
    {
        "status": {"enum": ["none", "pending", "preparing", "ready", "running", "completed", "unknown"]},
        "window": TEXT_OR_NULL,
        "addon": whole(
            {"uuid": UUID, "name": TEXT, "kind": TEXT, "plan": TEXT, "attachments": list_of(TEXT)},
            {"window": TEXT_OR_NULL},
        ),
        "app": whole({"uuid": UUID, "name": TEXT}),
    },
    {
        "reason": TEXT_OR_NULL,
        "server_created_at": MOMENT,
        "started_at": TEXT_OR_NULL,
        "completed_at": TEXT_OR_NULL,
        "duration_seconds": TEXT_OR_NULL,
        "required_by": TEXT_OR_NULL,
        "scheduled_for": TEXT_OR_NULL,
        "previously_scheduled_for": TEXT_OR_NULL,
    },
)
MAINTENANCE_LIST = whole({"maintenances": list_of(MAINTENANCE)})
MOVED = whole({"scheduled_for": TEXT_OR_NULL, "previously_scheduled_for": TEXT_OR_NULL})
WINDOW = whole(
    {
        "window": TEXT_OR_NULL,
        "previous_window": TEXT_OR_NULL,
        "scheduled_for": TEXT_OR_NULL,
        "previously_scheduled_for": TEXT_OR_NULL,
    }
)
ERRORS: dict[int, list[str]] = {
    400: ["bad_request"],
    401: ["unauthorized"],
    403: ["forbidden", "suspended", "two_factor"],
    404: ["not_found"],
    406: ["not_acceptable"],
    409: ["conflict"],
    410: ["gone"],
    416: ["requested_range_not_satisfiable"],
    422: [
        "invalid_params",
        "verification_needed",
        "confirmation_required",
        "multiple_matches",
        "addon_error",
        "unprocessable_entity",
    ],
    429: ["rate_limit"],
}
"""The ids that go with each status of a refusal; any other status is a fault of the local Heroku."""

EMPTY: Schema = {"type": "object", "maxProperties": 0}
NOTHING: Schema = {"type": "null"}

ONE = "[^/]+"


def a_list_of(form: Callable[[Headers], Schema]) -> Callable[[Headers], Schema]:
    return lambda asked: list_of(form(asked))


ANSWERS: list[tuple[str, str, int, Schema | Callable[[Headers], Schema]]] = [
    ("GET", "/apps", 200, a_list_of(app)),
    ("POST", "/apps", 201, app),
    ("GET|PATCH|DELETE", f"/apps/{ONE}", 200, app),
    ("GET", f"/addons|/apps/{ONE}/addons", 200, a_list_of(addon)),
    ("POST", f"/apps/{ONE}/addons", 201, addon),
    ("GET|PATCH|DELETE", f"/addons/{ONE}|/apps/{ONE}/addons/{ONE}", 200, addon),
    ("POST", "/actions/addons/resolve", 200, a_list_of(addon)),
    ("POST", "/actions/addon-attachments/resolve", 200, a_list_of(attachment)),
    ("GET", f"/addon-attachments|/(apps|addons)/{ONE}/addon-attachments", 200, a_list_of(attachment)),
    ("POST", "/addon-attachments", 201, attachment),
    ("GET|DELETE", f"/addon-attachments/{ONE}|/apps/{ONE}/addon-attachments/{ONE}", 200, attachment),
    ("GET", f"/addons/{ONE}/config/{ONE}", 200, list_of(ANYTHING)),
    ("GET|PATCH", f"/apps/{ONE}/config-vars|/apps/{ONE}/releases/{ONE}/config-vars", 200, CONFIG_VARS),
    ("GET|PATCH", f"/apps/{ONE}/formation", 200, list_of(FORMATION)),
    ("GET|PATCH", f"/apps/{ONE}/formation/{ONE}", 200, FORMATION),
    ("GET", f"/apps/{ONE}/dynos", 200, list_of(DYNO)),
    ("POST", f"/apps/{ONE}/dynos", 201, DYNO),
    ("DELETE", f"/apps/{ONE}/(dynos|dynos/{ONE}|formations/{ONE})", 202, EMPTY),
    ("POST", f"/apps/{ONE}/(dynos|formations)/{ONE}/actions/stop", 202, EMPTY),
    ("GET", f"/apps/{ONE}/releases", 200, list_of(RELEASE)),
    ("GET", f"/apps/{ONE}/releases/{ONE}", 200, RELEASE),
    ("GET", f"/apps/{ONE}/(collaborators|buildpack-installations)", 200, list_of(ANYTHING)),
    ("GET", f"/addon-services/{ONE}", 200, SERVICE),
    ("GET", f"/addon-services/{ONE}/plans", 200, list_of(PLAN)),
    ("GET", f"/plans/{ONE}", 200, PLAN),
    ("GET", "/account", 200, ACCOUNT),
    ("GET", "/account/rate-limits", 200, whole({"remaining": NUMBER})),
    ("GET", f"/client/v11/databases/{ONE}", 200, DATABASE),
    ("GET", f"/client/v11/databases/{ONE}/followers", 200, list_of(DATABASE)),
    ("GET", f"/client/v11/databases/{ONE}/wait_status", 200, WAIT_STATUS),
    ("PUT", f"/client/v11/databases/{ONE}/unfollow", 200, MESSAGE),
    ("POST", f"/client/v11/databases/{ONE}/connection_reset", 200, MESSAGE),
    ("GET", f"/client/v11/databases/{ONE}/transfer-schedules", 200, list_of(SCHEDULE)),
    ("POST", f"/client/v11/databases/{ONE}/transfer-schedules", 201, SCHEDULE),
    ("DELETE", f"/client/v11/databases/{ONE}/transfer-schedules/{ONE}", 200, SCHEDULE),
    ("GET", f"/client/v11/databases/{ONE}/connection-pooling", 200, POOLING),
    ("POST", f"/client/v11/databases/{ONE}/connection-pooling", 201, POOL),
    ("GET", f"/postgres/v0/databases/{ONE}/credentials", 200, list_of(CREDENTIAL)),
    ("POST", f"/postgres/v0/databases/{ONE}/credentials", 201, CREDENTIAL),
    ("GET", f"/postgres/v0/databases/{ONE}/credentials/{ONE}", 200, CREDENTIAL),
    ("POST", f"/client/v11/databases/{ONE}/upgrade/(prepare|dry_run|cancel|run)", 200, MESSAGE),
    ("GET", f"/client/v11/databases/{ONE}/upgrade/wait_status", 200, WAIT_STATUS),
    ("GET", f"/data/maintenances/v1/{ONE}", 200, MAINTENANCE),
    ("GET", f"/data/maintenances/v1/apps/{ONE}|/data/maintenances/v1/{ONE}/history/", 200, MAINTENANCE_LIST),
    ("POST", f"/data/maintenances/v1/{ONE}/run", 200, MAINTENANCE),
    ("POST", f"/data/maintenances/v1/{ONE}/schedule", 200, MOVED),
    ("GET|POST", f"/data/maintenances/v1/{ONE}/window", 200, WINDOW),
]


def schema_of(method: str, path: str, status: int, headers: Headers) -> Schema:
    """What the answer to such a request has to be. Raises LookupError for one that it cannot be."""
    if status >= 400:
        return refusal(path, status)
    asked = {name.lower(): value for name, value in headers.items()}
    for methods, pattern, expected, form in ANSWERS:
        if re.fullmatch(methods, method) and re.fullmatch(pattern, path):
            schema = form(asked) if callable(form) else form
            if status == expected or (status == 206 and method == "GET" and schema["type"] == "array"):
                return schema
    raise LookupError(f"no schema for {method} {path} {status}")


def refusal(path: str, status: int) -> Schema:
    """Only the Data API refuses without a word, a database that it does not know yet; others name what is missing."""
    resource = {"resource": TEXT}
    named = resource if status == 404 else {}
    error = whole(
        {"id": {"enum": ERRORS[status]}, "message": {"type": "string", "minLength": 1}, **named},
        {"url": TEXT, "app": ANYTHING, **resource},
    )
    return {"anyOf": [error, NOTHING]} if status == 404 and path.startswith("/client/") else error
