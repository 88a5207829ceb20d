# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's API, version 2, as far as one reads droplets, regions, tags and the account with it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from geokube_lab.clouds import credentials
from geokube_lab.clouds.digitalocean_documents import REGIONS, droplet
from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.http import Server
from geokube_lab.clouds.machine import Machine
from geokube_lab.clouds.messages import Request, Response, json_response

PER_PAGE_DEFAULT, PER_PAGE_LIMIT = 20, 200
RATE_LIMIT = 5000
_ERRORS = {
    400: ("bad_request", "The request could not be understood."),
    401: ("unauthorized", "Unable to authenticate you"),
    403: ("forbidden", "You do not have access for the attempted action."),
    404: ("not_found", "The resource you were accessing could not be found."),
    405: ("method_not_allowed", "The method is not allowed for this resource."),
    422: ("unprocessable_entity", "The request could not be processed."),
    429: ("too_many_requests", "API Rate limit exceeded."),
    500: ("server_error", "Server was unable to give you a response."),
    503: ("service_unavailable", "The service is temporarily unavailable."),
}


class DigitalOcean(Emulator):
    """DigitalOcean's REST API on one port; the endpoint ends in /v2."""

    name = "digitalocean"

    def __init__(self, port: int = 0, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self.tokens = credentials.Tokens(credentials.DIGITALOCEAN_TOKEN)
        self._droplets: tuple[tuple[Machine, bytes], ...] = ()
        self._server = Server(self, port=port)

    @property
    def endpoint(self) -> str:
        """The base URL, with /v2."""
        return f"http://127.0.0.1:{self._server.port}/v2"

    def start(self) -> None:
        """Starts to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stops to serve."""
        self._server.stop()

    def _loaded(self) -> None:
        self._droplets = tuple(
            (machine, json.dumps(droplet(machine), separators=(",", ":")).encode()) for machine in self._machines
        )

    def call(self, request: Request) -> Call:
        """The operation is the path below /v2, a number in it as {id}."""
        parts = ["{id}" if part.isdigit() else part for part in request.path.strip("/").split("/")[1:]]
        page = request.one("page", "1")
        return Call("/".join(parts), page=int(page) if page.isdigit() else 1)

    def failure(self, request: Request, fault: Fault) -> Response:
        """An error as DigitalOcean writes it."""
        headers = {"retry-after": fault.retry_after} if fault.retry_after is not None else {}
        return self._error(fault.status, fault.message, headers)

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request."""
        identity = self.tokens.identity(request.bearer())
        if identity in ("missing", "unknown"):
            return self._error(401)
        if identity == "guest":
            return self._error(403)
        if request.method not in ("GET", "HEAD"):
            return self._error(405)
        match request.path.strip("/").split("/"):
            case ["v2", "account"]:
                return self._ok({"account": self._account()})
            case ["v2", "droplets"]:
                return self._list_droplets(request, fault)
            case ["v2", "droplets", number]:
                found = [body for machine, body in self._droplets if machine.instance_id == number]
                return self._ok_bytes(b'{"droplet":' + found[0] + b"}") if found else self._error(404)
            case ["v2", "regions"]:
                return self._list(request, fault, "regions", [json.dumps(region).encode() for region in REGIONS])
            case ["v2", "tags"]:
                return self._list(request, fault, "tags", [json.dumps(tag).encode() for tag in self._tags()])
            case _:
                return self._error(404)

    def _list_droplets(self, request: Request, fault: Fault | None) -> Response:
        tag, name, kind = (request.one(key) for key in ("tag_name", "name", "type"))
        if tag and (name or kind):
            return self._error(422, "tag_name cannot be combined with name or type")
        bodies = [
            body
            for machine, body in self._droplets
            if (not tag or tag.lower() in (each.lower() for each in machine.digitalocean_tags()))
            and (not name or machine.name.lower() == name.lower())
            and kind != "gpus"
        ]
        return self._list(request, fault, "droplets", bodies)

    def _list(self, request: Request, fault: Fault | None, key: str, bodies: Sequence[bytes]) -> Response:
        page, size = request.one("page", "1"), request.one("per_page", str(PER_PAGE_DEFAULT))
        if not page.isdigit() or not size.isdigit() or int(page) < 1 or int(size) < 1:
            return self._error(400, "page and per_page must be numbers of 1 or more")
        number, count = int(page), min(int(size), PER_PAGE_LIMIT)
        last = max(1, -(-len(bodies) // count))
        shown = bodies[(number - 1) * count : number * count]
        following = number + 1 if number < last else None
        match fault.kind if fault is not None else "":
            case "empty-page" | "drop-page":
                shown = ()
                following = following if fault is not None and fault.kind == "drop-page" else number + 1
            case "token-loop":
                following = number
        pages = self._links(request, number, last, following)
        tail = json.dumps({"links": {"pages": pages} if pages else {}, "meta": {"total": len(bodies)}})
        return self._ok_bytes(b'{"%s":[%s],%s' % (key.encode(), b",".join(shown), tail[1:].encode()))

    def _links(self, request: Request, number: int, last: int, following: int | None) -> dict[str, str]:
        def url(page: int) -> str:
            query = {key: values[-1] for key, values in request.query.items()} | {"page": str(page)}
            return f"{self.endpoint.removesuffix('/v2')}{request.path.rstrip('/')}?{urlencode(query)}"

        links: dict[str, str] = {}
        if number > 1:
            links |= {"first": url(1), "prev": url(min(number - 1, last))}
        if following is not None:
            links |= {"next": url(following), "last": url(max(last, following))}
        return links

    def _tags(self) -> list[dict[str, Any]]:
        counts: dict[str, list[Machine]] = {}
        for machine in self._machines:
            for tag in machine.digitalocean_tags():
                counts.setdefault(tag, []).append(machine)
        return [
            {
                "name": tag,
                "resources": {
                    "count": len(machines),
                    "last_tagged_uri": f"{self.endpoint}/droplets/{machines[-1].instance_id}",
                    "droplets": {"count": len(machines)},
                },
            }
            for tag, machines in sorted(counts.items())
        ]

    def _account(self) -> dict[str, Any]:
        return {
            "droplet_limit": 10000,
            "floating_ip_limit": 100,
            "email": "lab@geokube.test",
            "name": "geokube lab",
            "uuid": "6f0c1a5e-0000-4000-8000-000000000001",
            "email_verified": True,
            "status": "active",
            "status_message": "",
        }

    def _ok(self, document: dict[str, Any]) -> Response:
        return self._ok_bytes(json.dumps(document, separators=(",", ":")).encode())

    def _ok_bytes(self, body: bytes) -> Response:
        return Response(200, body, "application/json; charset=utf-8", self._rate_headers())

    def _rate_headers(self) -> dict[str, str]:
        left = max(0, RATE_LIMIT - self.faults.requests)
        reset = str(int(time.time()) + 3600)
        return {"ratelimit-limit": str(RATE_LIMIT), "ratelimit-remaining": str(left), "ratelimit-reset": reset}

    def _error(self, status: int, message: str | None = None, headers: dict[str, str] | None = None) -> Response:
        identifier, default = _ERRORS.get(status, _ERRORS[500 if status >= 500 else 400])
        document = {
            "id": identifier,
            "message": message or default,
            "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9",
        }
        return json_response(status, document, self._rate_headers() | (headers or {}))
