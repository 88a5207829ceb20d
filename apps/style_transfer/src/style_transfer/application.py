# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import resources
from typing import cast
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from style_transfer import MODEL_VERSION, __version__
from style_transfer.forms import read_form
from style_transfer.jobs import StoreUnavailable
from style_transfer.metrics import MEDIA_TYPE as METRICS_TYPE
from style_transfer.middleware import RegionAndLog
from style_transfer.openapi import document
from style_transfer.painting import Painting
from style_transfer.peer_routes import RESULT_ID
from style_transfer.peer_routes import ROUTES as PEER_ROUTES
from style_transfer.problems import Problem, answer_problem
from style_transfer.service import Served, Service
from style_transfer.styles import STYLES
from style_transfer.wishes import parse_wish

IMMUTABLE = "public, max-age=31536000, immutable"
_RAW_TYPES = ("image/jpeg", "image/jpg", "image/png", "image/webp", "application/octet-stream")


def create_application(service: Service) -> Starlette:
    """Return the ASGI application; the service's writers start and stop with it."""

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.stop()

    application = Starlette(
        routes=[
            Route("/", page),
            Route("/v1/stylize", stylize, methods=["POST"]),
            Route("/v1/styles", styles),
            Route("/v1/styles/{name}.webp", thumbnail),
            Route("/v1/jobs/{job_id}", job),
            Route("/results/{result_id}", result),
            *PEER_ROUTES,
            Route("/openapi.json", openapi),
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ],
        lifespan=lifespan,
        exception_handlers={Problem: answer_problem, HTTPException: _answer_http_error, 500: _answer_bug},
    )
    application.state.service = service
    application.add_middleware(RegionAndLog, service=service)
    return application


def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


async def stylize(request: Request) -> Response:
    """POST /v1/stylize."""
    try:
        return await _stylize(request)
    except ClientDisconnect:
        return Response(status_code=499)
    except Problem as problem:
        if problem.close and problem.status != HTTPStatus.REQUEST_TIMEOUT:
            await _service(request).bodies.linger(request)
        raise


async def _stylize(request: Request) -> Response:
    service = _service(request)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "multipart/form-data" and kind not in _RAW_TYPES:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content-type-unsupported",
            f"Content-Type is {kind[:60]!r}. Send image/jpeg, image/png or image/webp, or a multipart form.",
            close=True,
        )
    query = request.query_params.multi_items()
    wish = parse_wish(query)
    service.workers.check()
    async with service.bodies.read(request) as body:
        photo = body
        if kind == "multipart/form-data":
            photo, fields = read_form(content_type, body)
            wish = parse_wish([*query, *fields.items()])
        served = await service.stylize(photo, wish)
    return _painting_response(served.painting, "no-store", _result_headers(served))


def _result_headers(served: Served) -> dict[str, str]:
    timing = ", ".join(f"{stage};dur={milliseconds:.1f}" for stage, milliseconds in served.milliseconds.items())
    return {
        "Server-Timing": timing,
        "X-Result-Id": served.record.result_id,
        "X-Job-Id": str(served.record.id),
        "X-Result-Origin": served.record.origin,
        "Content-Location": f"/results/{served.record.result_id}",
    }


def _painting_response(painting: Painting, cache: str, headers: dict[str, str]) -> Response:
    return Response(
        painting.content,
        media_type=painting.media_type,
        headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff", **headers},
    )


async def result(request: Request) -> Response:
    """GET /results/{result_id}."""
    result_id = request.path_params["result_id"]
    painting = await _service(request).find_result(result_id) if RESULT_ID.fullmatch(result_id) else None
    if painting is None:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "result-unknown",
            "This region has no result of that name (any more). Send the photo again to have it painted.",
        )
    tag = f'"{result_id}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": IMMUTABLE})
    return _painting_response(painting, IMMUTABLE, {"ETag": tag, "X-Result-Id": result_id})


async def job(request: Request) -> Response:
    """GET /v1/jobs/{job_id}."""
    text = request.path_params["job_id"]
    try:
        job_id = UUID(text)
    except ValueError:
        raise Problem(HTTPStatus.NOT_FOUND, "job-unknown", f"{text[:60]!r} is not the id of a job (a UUID).") from None
    try:
        record = await _service(request).recorder.read(job_id)
    except StoreUnavailable:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "database-away", "The database does not answer. Try again.", retry_after=5
        ) from None
    if record is None:
        raise Problem(HTTPStatus.NOT_FOUND, "job-unknown", "There is no job of that id.")
    return JSONResponse(record.document(), headers={"Cache-Control": "no-store"})


async def styles(request: Request) -> Response:
    """GET /v1/styles."""
    listed = [
        {
            "number": style.number,
            "name": style.name,
            "description": style.description,
            "recommended": style.recommended,
            "thumbnail": f"/v1/styles/{style.number:02d}.webp",
        }
        for style in STYLES
    ]
    return JSONResponse({"model": MODEL_VERSION, "styles": listed}, headers={"Cache-Control": "public, max-age=3600"})


async def thumbnail(request: Request) -> Response:
    """GET /v1/styles/{number}.webp, and /v1/styles/original.webp for the picture they all paint."""
    name = request.path_params["name"]
    if name != "original" and name not in {f"{style.number:02d}" for style in STYLES}:
        raise Problem(HTTPStatus.NOT_FOUND, "style-unknown", "There is no thumbnail of that name.")
    content = (resources.files("style_transfer") / "assets" / "styles" / f"{name}.webp").read_bytes()
    return Response(content, media_type="image/webp", headers={"Cache-Control": "public, max-age=86400"})


async def page(request: Request) -> Response:
    """GET /: the page for people. Its scripts and styles are its own, and it may load nothing from elsewhere."""
    content = (resources.files("style_transfer") / "assets" / "index.html").read_bytes()
    policy = (
        "default-src 'none'; img-src 'self' blob:; connect-src 'self'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="text/html", headers=headers)


async def openapi(request: Request) -> Response:
    """GET /openapi.json."""
    return JSONResponse(document(), headers={"Cache-Control": "public, max-age=3600"})


async def livez(request: Request) -> Response:
    """GET /livez: the process answers."""
    return Response("ok\n", media_type="text/plain", headers={"Cache-Control": "no-store"})


async def readyz(request: Request) -> Response:
    """GET /readyz: 503 while draining. The database may be away: requests do not need it."""
    service = _service(request)
    detail = {
        "status": "draining" if service.draining else "ready",
        "region": service.settings.region,
        "version": __version__,
        "model": MODEL_VERSION,
        "database": {
            "kind": service.recorder.store.name,
            "status": "ok" if service.recorder.problem is None else "away",
            "records_waiting": service.recorder.waiting,
        },
        "peers": {"known": service.peers.known, "away": service.peers.away},
        "workers": {"count": service.workers.count, "waiting": service.workers.waiting},
    }
    return Response(
        json.dumps(detail) + "\n",
        status_code=503 if service.draining else 200,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def metrics(request: Request) -> Response:
    """GET /metrics."""
    service = _service(request)
    service.refresh_gauges()
    return Response(service.metrics.expose(), headers={"Content-Type": METRICS_TYPE, "Cache-Control": "no-store"})


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = "There is nothing here; /openapi.json lists what there is." if status == 404 else str(error.detail)
    response = Problem(status, status.phrase.lower().replace(" ", "-"), detail).response()
    response.headers.update(error.headers or {})
    return response


async def _answer_bug(request: Request, error: Exception) -> Response:
    problem = Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service failed; its operators find this in their log."
    )
    return problem.response()
