# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every answer carries, and the one log line it leaves."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from style_transfer.service import Service

log = logging.getLogger("style_transfer.access")
_ROUTES = (
    "/v1/stylize",
    "/v1/styles",
    "/v1/jobs",
    "/results",
    "/peers",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
)
_QUIET = ("/livez", "/readyz", "/metrics", "/peers")


class RegionAndLog:
    """Adds x-geokube-region, counts and logs. Who asked is not logged, nor what the photo's name was."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        seen: dict[str, str] = {}

        async def send_with_region(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-geokube-region"] = self.service.settings.region
                if self.service.draining:
                    headers["connection"] = "close"
                seen["status"] = str(message["status"])
                seen["result"] = headers.get("x-result-id", "")
                seen["job"] = headers.get("x-job-id", "")
            await send(message)

        scope.setdefault("state", {})
        try:
            await self.app(scope, receive, send_with_region)
        finally:
            self._note(scope, seen, (time.perf_counter() - begun) * 1000)

    def _note(self, scope: Scope, seen: dict[str, str], milliseconds: float) -> None:
        path = scope["path"]
        route = next((known for known in _ROUTES if path == known or path.startswith(known + "/")), "other")
        route = "/" if path == "/" else route
        status = seen.get("status", "500")
        self.service.metrics.requests.labels(route, status).inc()
        problem = scope["state"].get("problem")
        if problem:
            self.service.metrics.refusals.labels(problem).inc()
        if route not in _QUIET:
            fields = {"method": scope["method"], "route": route, "status": int(status), "ms": round(milliseconds, 1)}
            fields |= {key: value for key, value in seen.items() if value and key != "status"}
            if problem:
                fields["problem"] = problem
            log.info("request", extra=fields)
