"""The one origin of both APIs: the table of routes, authentication, request ids, errors, faults."""

import asyncio
import base64
import json
import re
import time
from typing import Any

from aiohttp import web

from local_heroku import (
    addons_api,
    apps_api,
    control,
    data_api,
    dynos_api,
    maintenances,
    refusals,
    version_upgrade,
)
from local_heroku.call import Call, Handler
from local_heroku.faults import Fault
from local_heroku.paging import page_of
from local_heroku.postgres import Cluster
from local_heroku.world import World, new_id

SERVED = re.compile(r"application/vnd\.heroku\+json; ?version=3(\.\w|$|[,;])")
DATA = "/client/v11/databases/{addon}"
MAINTENANCES = "/data/maintenances/v1"
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/apps", apps_api.list_apps),
    ("POST", "/apps", apps_api.create_app),
    ("GET", "/apps/{app}", apps_api.show_app),
    ("DELETE", "/apps/{app}", apps_api.delete_app),
    ("PATCH", "/apps/{app}", apps_api.change_app),
    ("GET", "/apps/{app}/addons", addons_api.app_addons),
    ("POST", "/apps/{app}/addons", addons_api.create_addon),
    ("GET", "/apps/{app}/addons/{addon}", addons_api.show_addon),
    ("PATCH", "/apps/{app}/addons/{addon}", addons_api.change_addon),
    ("DELETE", "/apps/{app}/addons/{addon}", addons_api.delete_addon),
    ("GET", "/addons", addons_api.list_addons),
    ("GET", "/addons/{addon}", addons_api.show_addon),
    ("GET", "/addons/{addon}/addon-attachments", addons_api.addon_attachments),
    ("GET", "/addons/{addon}/config/{name}", addons_api.credential_config),
    ("GET", "/addon-attachments", addons_api.list_attachments),
    ("POST", "/addon-attachments", addons_api.create_attachment),
    ("GET", "/addon-attachments/{attachment}", addons_api.show_attachment),
    ("DELETE", "/addon-attachments/{attachment}", addons_api.delete_attachment),
    ("GET", "/apps/{app}/addon-attachments", addons_api.app_attachments),
    ("GET", "/apps/{app}/addon-attachments/{attachment}", addons_api.app_attachment),
    ("POST", "/actions/addons/resolve", addons_api.resolve_addon),
    ("POST", "/actions/addon-attachments/resolve", addons_api.resolve_attachment),
    ("GET", "/apps/{app}/config-vars", apps_api.show_config),
    ("PATCH", "/apps/{app}/config-vars", apps_api.change_config),
    ("GET", "/apps/{app}/formation", dynos_api.list_formation),
    ("PATCH", "/apps/{app}/formation", dynos_api.change_formation),
    ("GET", "/apps/{app}/formation/{type}", dynos_api.show_formation),
    ("PATCH", "/apps/{app}/formation/{type}", dynos_api.change_process_type),
    ("GET", "/apps/{app}/dynos", dynos_api.list_dynos),
    ("POST", "/apps/{app}/dynos", dynos_api.run_dyno),
    ("DELETE", "/apps/{app}/dynos", dynos_api.restart_dynos),
    ("DELETE", "/apps/{app}/dynos/{dyno}", dynos_api.restart_dynos),
    ("POST", "/apps/{app}/dynos/{dyno}/actions/stop", dynos_api.stop_dynos),
    ("POST", "/apps/{app}/formations/{type}/actions/stop", dynos_api.stop_dynos),
    ("DELETE", "/apps/{app}/formations/{type}", dynos_api.restart_dynos),
    ("GET", "/apps/{app}/releases", apps_api.list_releases),
    ("GET", "/apps/{app}/releases/{release}", apps_api.show_release),
    ("GET", "/apps/{app}/releases/{release}/config-vars", apps_api.release_config),
    ("GET", "/apps/{app}/features", apps_api.list_features),
    ("GET", "/apps/{app}/features/{feature}", apps_api.show_feature),
    ("PATCH", "/apps/{app}/features/{feature}", apps_api.change_feature),
    ("GET", "/apps/{app}/buildpack-installations", apps_api.none_of_them),
    ("GET", "/apps/{app}/collaborators", apps_api.none_of_them),
    ("GET", "/apps/{app}/pipeline-couplings", apps_api.no_pipeline),
    ("GET", "/addon-services/{service}", addons_api.one_service),
    ("GET", "/plans/{plan}", addons_api.one_plan),
    ("GET", "/addon-services/{service}/plans", addons_api.list_plans),
    ("GET", "/account", apps_api.account),
    ("GET", "/account/rate-limits", apps_api.rate_limits),
    ("GET", DATA, data_api.show),
    ("GET", f"{DATA}/wait_status", data_api.wait_status),
    ("PUT", f"{DATA}/unfollow", data_api.unfollow),
    ("GET", f"{DATA}/followers", data_api.followers),
    ("GET", f"{DATA}/transfer-schedules", data_api.schedules),
    ("POST", f"{DATA}/transfer-schedules", data_api.add_schedule),
    ("DELETE", f"{DATA}/transfer-schedules/{{schedule}}", data_api.drop_schedule),
    ("GET", f"{DATA}/connection-pooling", data_api.show_pooling),
    ("POST", f"{DATA}/connection-pooling", data_api.enable_pooling),
    ("POST", f"{DATA}/connection_reset", data_api.connection_reset),
    ("GET", "/postgres/v0/databases/{addon}/credentials", data_api.credentials),
    ("POST", "/postgres/v0/databases/{addon}/credentials", data_api.create_credential),
    ("GET", "/postgres/v0/databases/{addon}/credentials/{name}", data_api.show_credential),
    ("POST", f"{DATA}/upgrade/prepare", version_upgrade.prepare),
    ("POST", f"{DATA}/upgrade/dry_run", version_upgrade.dry_run),
    ("POST", f"{DATA}/upgrade/cancel", version_upgrade.cancel),
    ("POST", f"{DATA}/upgrade/run", version_upgrade.run),
    ("GET", f"{DATA}/upgrade/wait_status", version_upgrade.wait_status),
    ("GET", f"{MAINTENANCES}/apps/{{app}}", maintenances.of_app),
    ("GET", f"{MAINTENANCES}/{{addon}}", maintenances.show),
    ("GET", f"{MAINTENANCES}/{{addon}}/history/", maintenances.history),
    ("POST", f"{MAINTENANCES}/{{addon}}/run", maintenances.run),
    ("POST", f"{MAINTENANCES}/{{addon}}/schedule", maintenances.schedule),
    ("GET", f"{MAINTENANCES}/{{addon}}/window", maintenances.show_window),
    ("POST", f"{MAINTENANCES}/{{addon}}/window", maintenances.set_window),
    # From here on: no part of Heroku.
    ("POST", "/_control/apps", control.create_app),
    ("PATCH", "/_control/apps/{app}", control.change_app),
    ("DELETE", "/_control/apps/{app}", control.delete_app),
    ("PATCH", "/_control/databases/{addon}", control.change_database),
    ("GET", "/_control/databases/{addon}", control.show_database),
    ("POST", "/_control/databases/{addon}/credentials", control.create_credential),
    ("PATCH", "/_control/world", control.change_world),
    ("POST", "/_control/faults", control.add_fault),
    ("DELETE", "/_control/faults", control.clear_faults),
    ("GET", "/_control/world", control.show_world),
    ("GET", "/_control/requests/{first}", control.requests),
    ("GET", "/_control/events/{first}", control.events),
]


def application(world: World, cluster: Cluster) -> web.Application:
    """The web application with every route of the table."""
    app = web.Application(handler_args={"max_field_size": 65536, "max_line_size": 65536})
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, _endpoint(world, cluster, handler), name=None)
    app.router.add_route("*", "/{rest:.*}", _unknown(world))
    return app


def _endpoint(world: World, cluster: Cluster, handler: Handler) -> Any:
    async def serve(request: web.Request) -> web.StreamResponse:
        sent = await request.text()  # so that it is carried out even if its sender is gone by then
        controlled = request.path.startswith("/_control/")
        fault = None if controlled else _fault(world, request, sent)
        if fault is not None:
            world.event("fault", kind=fault.kind, method=request.method, path=request.path)
        if fault is not None and fault.kind != "reset_after" and (early := await _instead(request, fault)):
            return early
        if controlled:
            return _controlled(*await _answered(world, cluster, handler, request))
        answer = await _limited(world, cluster, handler, request)
        if fault is not None and fault.kind == "reset_after":
            return _reset(request)
        return answer

    return serve


def _controlled(status: int, body: Any) -> web.Response:
    return web.json_response(body, status=status)


async def _limited(world: World, cluster: Cluster, handler: Handler, request: web.Request) -> web.Response:
    """One answer of Heroku: after the account's limit, with its latency, in pages, and remembered."""
    free, came = request.path == "/account/rate-limits", time.time()
    if free or world.bucket.take():
        status, body = await _answered(world, cluster, handler, request)
        await world.latency.take("answer")
    else:
        status, body = refusals.rate_limited().answer
    answer = _rendered(world, request, status, body)
    world.requests.append({**_remembered(world, request, answer, await request.text()), "came": came})
    return answer


def _remembered(world: World, request: web.Request, answer: web.Response, sent: str) -> dict[str, Any]:
    """What `/_control/requests` shows; bodies and headers only when a test asked for them."""
    kept = {"method": request.method, "path": request.path, "status": answer.status, "at": time.time()}
    if not world.recording:
        return kept
    got = json.loads(answer.text) if answer.text else None
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    seen = {"headers": headers, "scheme": scheme, "answered": dict(answer.headers)}
    return {**kept, "sent": json.loads(sent) if sent else None, "got": got, **seen}


async def _answered(world: World, cluster: Cluster, handler: Handler, request: web.Request) -> tuple[int, Any]:
    try:
        if not request.path.startswith("/_control/"):
            _check(request)
        _authenticate(world, request)
        text = await request.text()
        call = Call(world, cluster, dict(request.match_info), json.loads(text) if text else None, request.headers)
        return await handler(call)
    except refusals.Refusal as refusal:
        return refusal.answer
    except (ValueError, KeyError, TypeError) as error:
        return 400, {"id": "bad_request", "message": f"The request body is not right: {error!r}"}


def _check(request: web.Request) -> None:
    """The Platform API answers only those who say which version of it they mean."""
    of_data = request.path.startswith(("/client/", "/postgres/", "/data/"))
    if not of_data and not SERVED.match(request.headers.get("Accept", "")):
        raise refusals.no_version()


def _authenticate(world: World, request: web.Request) -> None:
    """Bearer, as the CLI sends it, or Basic with any user, as the provider does."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        value = base64.b64decode(value).decode(errors="replace").partition(":")[2]
    if scheme not in {"Bearer", "Basic"} or value != world.token:
        raise refusals.unauthorized()


def _rendered(world: World, request: web.Request, status: int, body: Any) -> web.Response:
    headers = {
        "Request-Id": new_id(),
        "RateLimit-Remaining": str(world.bucket.remaining),
    }
    if world.warning:
        headers["X-Heroku-Warning"] = world.warning
    if status == 404 and body == {}:
        return web.Response(status=status, headers=headers)
    if request.method == "GET" and isinstance(body, list) and not request.path.startswith("/client/"):
        status, body = _in_pages(body, request.headers.get("Range", ""), headers)
    return web.json_response(body, status=status, headers=headers)


def _in_pages(rows: list[Any], wanted: str, headers: dict[str, str]) -> tuple[int, Any]:
    try:
        page = page_of(rows, wanted)
    except refusals.Refusal as refusal:
        return refusal.answer
    headers["Accept-Ranges"] = "id, name, version"
    headers |= {"Content-Range": page.covers} if page.covers else {}
    headers |= {"Next-Range": page.rest} if page.rest else {}
    return 206 if page.rest else 200, page.rows


def _fault(world: World, request: web.Request, sent: str) -> Fault | None:
    return next((f for f in world.faults if f.hits(request.method, request.path, sent)), None)


async def _instead(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """What a fault gives instead of the answer; None when the request goes on."""
    if fault.kind in {"hang", "delay"}:
        await asyncio.sleep(fault.seconds or 3600)
        return None
    if fault.kind == "reset_before":
        return _reset(request)
    if fault.kind == "not_json":
        return web.Response(status=fault.status, text="<html>no JSON here</html>", content_type="text/html")
    body = {"id": fault.error_id, "message": fault.message}
    return web.json_response(body, status=fault.status, headers=fault.headers)


def _reset(request: web.Request) -> web.Response:
    """Breaks the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _unknown(world: World) -> Any:
    async def refuse(request: web.Request) -> web.Response:
        world.event("unknown route", method=request.method, path=request.path)
        message = f"The local Heroku does not have {request.method} {request.path}."
        answer = web.json_response({"id": "not_implemented", "message": message}, status=501)
        world.requests.append({**_remembered(world, request, answer, ""), "came": time.time()})
        return answer

    return refuse
