"""
JSON schemas of every object that Heroku's two APIs show to the clients here, and which answer has to be which.

Written from the documented shapes: every field that a client reads is required, and an object that is listed whole has
no other field than those that Heroku gives it.
"""

import re
from typing import Any

Schema = dict[str, Any]

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
APP = whole(
    {
        "id": UUID,
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,28}[a-z0-9]$"},
        "maintenance": FLAG,
        "space": {"type": ["object", "null"]},
        "owner": ANYTHING,
        "region": REFERENCE,
        "stack": REFERENCE,
        "generation": REFERENCE,
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
ADDON = whole(
    {
        "id": UUID,
        "name": {"type": "string", "pattern": "^[a-zA-Z][A-Za-z0-9_-]+$"},
        "state": {"enum": ["provisioning", "provisioned", "deprovisioning", "deprovisioned"]},
        "app": REFERENCE,
        "addon_service": {"anyOf": [REFERENCE, SERVICE]},
        "plan": {"anyOf": [REFERENCE, PLAN]},
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
ATTACHMENT = whole(
    {
        "id": UUID,
        "name": VARIABLE,
        "namespace": TEXT_OR_NULL,
        "addon": whole({"id": UUID, "name": TEXT, "app": REFERENCE}, {"plan": REFERENCE}),
        "app": REFERENCE,
        "log_input_url": TEXT_OR_NULL,
        "web_url": TEXT_OR_NULL,
        **TIMES,
    },
    {"config_vars": list_of(VARIABLE)},
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
ERROR = whole({"id": TEXT, "message": TEXT}, {"url": TEXT, "resource": TEXT, "app": ANYTHING})
EMPTY: Schema = {"type": "object", "maxProperties": 0}
NOTHING: Schema = {"type": "null"}

ONE = "[^/]+"
ANSWERS: list[tuple[str, str, Schema]] = [
    ("GET", "/apps", list_of(APP)),
    ("POST", "/apps", APP),
    ("GET|PATCH|DELETE", f"/apps/{ONE}", APP),
    ("GET", f"/addons|/apps/{ONE}/addons", list_of(ADDON)),
    ("POST", f"/apps/{ONE}/addons", ADDON),
    ("GET|PATCH|DELETE", f"/addons/{ONE}|/apps/{ONE}/addons/{ONE}", ADDON),
    ("POST", "/actions/addons/resolve", list_of(ADDON)),
    ("POST", "/actions/addon-attachments/resolve", list_of(ATTACHMENT)),
    ("GET", f"/addon-attachments|/(apps|addons)/{ONE}/addon-attachments", list_of(ATTACHMENT)),
    ("POST", "/addon-attachments", ATTACHMENT),
    ("GET|DELETE", f"/addon-attachments/{ONE}|/apps/{ONE}/addon-attachments/{ONE}", ATTACHMENT),
    ("GET", f"/addons/{ONE}/config/{ONE}", list_of(ANYTHING)),
    ("GET|PATCH", f"/apps/{ONE}/config-vars|/apps/{ONE}/releases/{ONE}/config-vars", CONFIG_VARS),
    ("GET|PATCH", f"/apps/{ONE}/formation", list_of(FORMATION)),
    ("GET|PATCH", f"/apps/{ONE}/formation/{ONE}", FORMATION),
    ("GET", f"/apps/{ONE}/dynos", list_of(DYNO)),
    ("POST", f"/apps/{ONE}/dynos", DYNO),
    ("DELETE", f"/apps/{ONE}/(dynos|dynos/{ONE}|formations/{ONE})", EMPTY),
    ("POST", f"/apps/{ONE}/(dynos|formations)/{ONE}/actions/stop", EMPTY),
    ("GET", f"/apps/{ONE}/releases", list_of(RELEASE)),
    ("GET", f"/apps/{ONE}/releases/{ONE}", RELEASE),
    ("GET", f"/apps/{ONE}/(collaborators|buildpack-installations)", list_of(ANYTHING)),
    ("GET", f"/addon-services/{ONE}", SERVICE),
    ("GET", f"/addon-services/{ONE}/plans", list_of(PLAN)),
    ("GET", f"/plans/{ONE}", PLAN),
    ("GET", "/account", ACCOUNT),
    ("GET", "/account/rate-limits", whole({"remaining": NUMBER})),
    ("GET", f"/client/v11/databases/{ONE}", DATABASE),
    ("GET", f"/client/v11/databases/{ONE}/followers", list_of(DATABASE)),
    ("GET", f"/client/v11/databases/{ONE}/wait_status", WAIT_STATUS),
    ("PUT", f"/client/v11/databases/{ONE}/unfollow", MESSAGE),
    ("POST", f"/client/v11/databases/{ONE}/connection_reset", MESSAGE),
    ("GET", f"/client/v11/databases/{ONE}/transfer-schedules", list_of(SCHEDULE)),
    ("POST", f"/client/v11/databases/{ONE}/transfer-schedules", SCHEDULE),
    ("DELETE", f"/client/v11/databases/{ONE}/transfer-schedules/{ONE}", SCHEDULE),
    ("GET", f"/client/v11/databases/{ONE}/connection-pooling", POOLING),
    ("POST", f"/client/v11/databases/{ONE}/connection-pooling", POOL),
    ("GET", f"/postgres/v0/databases/{ONE}/credentials", list_of(CREDENTIAL)),
    ("POST", f"/postgres/v0/databases/{ONE}/credentials", CREDENTIAL),
    ("GET", f"/postgres/v0/databases/{ONE}/credentials/{ONE}", CREDENTIAL),
    ("POST", f"/client/v11/databases/{ONE}/upgrade/(prepare|dry_run|cancel|run)", MESSAGE),
    ("GET", f"/client/v11/databases/{ONE}/upgrade/wait_status", WAIT_STATUS),
    ("GET", f"/data/maintenances/v1/{ONE}", MAINTENANCE),
    ("GET", f"/data/maintenances/v1/apps/{ONE}|/data/maintenances/v1/{ONE}/history/", MAINTENANCE_LIST),
    ("POST", f"/data/maintenances/v1/{ONE}/run", MAINTENANCE),
    ("POST", f"/data/maintenances/v1/{ONE}/schedule", MOVED),
    ("GET|POST", f"/data/maintenances/v1/{ONE}/window", WINDOW),
]


def schema_of(method: str, path: str, status: int) -> Schema:
    """What an answer has to be. Raises LookupError for one that no schema was written for."""
    if status >= 400:
        return {"anyOf": [ERROR, NOTHING]}
    for methods, pattern, schema in ANSWERS:
        if re.fullmatch(methods, method) and re.fullmatch(pattern, path):
            return schema
    raise LookupError(f"no schema for {method} {path} {status}")
