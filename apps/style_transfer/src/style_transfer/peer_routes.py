# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the other copies of the region ask: never forwarded, and answered to them alone."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import cast

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from style_transfer.peers import PATH, REGION_HEADER, painting_headers, read_painting
from style_transfer.problems import Problem
from style_transfer.service import Service

RESULT_ID = re.compile(r"[0-9a-f]{64}")


async def peer_result(request: Request) -> Response:
    """GET and PUT /peers/results/{result_id}: what this copy itself has, and what it is given to keep."""
    service = cast(Service, request.app.state.service)
    result_id = request.path_params["result_id"]
    host = request.client.host if request.client else ""
    is_peer = request.headers.get(REGION_HEADER) == service.settings.region and await service.peers.is_peer(host)
    if not is_peer or not RESULT_ID.fullmatch(result_id):
        # For everybody else there is nothing here.
        raise Problem(HTTPStatus.NOT_FOUND, "not-found", "There is nothing here.", close=request.method == "PUT")
    if request.method == "PUT":
        return await _keep(service, result_id, request)
    painting = service.results.get(result_id)
    if painting is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return Response(painting.content, headers={"Cache-Control": "no-store", **painting_headers(painting)})


async def _keep(service: Service, result_id: str, request: Request) -> Response:
    try:
        async with service.bodies.read(request) as body:
            painting = read_painting(request.headers, body)
    except ClientDisconnect:
        return Response(status_code=499)
    if painting is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "painting-invalid", "The body or its headers are no painting.")
    service.results.put(result_id, painting)
    return Response(status_code=204)


ROUTES = [Route(PATH + "{result_id}", peer_result, methods=["GET", "PUT"])]
