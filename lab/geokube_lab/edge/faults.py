# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a test orders for the next requests to the API, and the log of what was asked."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACTIONS = ("status", "hang", "reset", "torn", "garbled")


@dataclass
class Fault:
    """What goes wrong with requests whose method and path match, `times` times, after `skip` that go well.

    `committed` lets the request take effect first. `action`: "status" answers `status` with `code`,
    "hang" waits `seconds` before the true answer, "reset" drops the connection, "torn" drops it in the middle of the
    body, "garbled" answers with half of the JSON as if it were whole.
    """

    method: str = ".*"
    path: str = ".*"
    action: str = "status"
    status: int = 500
    code: int = 10000
    message: str = "injected fault"
    headers: dict[str, str] = field(default_factory=dict)
    committed: bool = False
    seconds: float = 60.0
    times: int = 1
    skip: int = 0

    def matches(self, request: web.Request) -> bool:
        """Whether this fault strikes the request now; counts down."""
        if self.times < 1 or not re.fullmatch(self.method, request.method) or not re.search(self.path, request.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Faults:
    """The ordered faults and the log of requests to the API (method and path with query)."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []
        self.requests: list[str] = []
        self.delay = 0.0

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log the request, then let it through or strike it."""
        if not request.path.startswith("/client/v4"):
            return await handler(request)
        self.requests.append(f"{request.method} {request.path_qs.removeprefix('/client/v4')}")
        if self.delay:
            await asyncio.sleep(self.delay)
        fault = next((fault for fault in self.pending if fault.matches(request)), None)
        if fault is None:
            return await handler(request)
        kept = fault.committed or fault.action in ("torn", "garbled")
        answer = await handler(request) if kept else None
        if fault.action == "hang":
            return await self._hang(request, handler, answer, fault.seconds)
        if fault.action == "status":
            return web.json_response(_failure(fault), status=fault.status, headers=fault.headers)
        body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        if fault.action == "garbled":
            return web.Response(body=body[: len(body) // 2], content_type="application/json")
        if fault.action == "torn":
            torn = web.StreamResponse(headers={"Content-Length": str(len(body)), "Content-Type": "application/json"})
            await torn.prepare(request)
            await torn.write(body[: len(body) // 2])
        if request.transport:
            request.transport.abort()
        raise asyncio.CancelledError

    @staticmethod
    async def _hang(
        request: web.Request, handler: Handler, answer: web.StreamResponse | None, seconds: float
    ) -> web.StreamResponse:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if request.transport is None or request.transport.is_closing():
                # Whoever asked has gone, and what did not happen by then does not happen any more.
                raise asyncio.CancelledError
            await asyncio.sleep(0.05)
        return answer or await handler(request)

    async def order(self, request: web.Request) -> web.Response:
        """POST: add faults given as a list of objects."""
        for given in await request.json():
            fault = Fault(**given)
            if fault.action not in ACTIONS:
                return web.json_response({"error": f"action must be one of {', '.join(ACTIONS)}"}, status=400)
            self.pending.append(fault)
        return web.json_response({"pending": len(self.pending)})

    async def clear(self, request: web.Request) -> web.Response:
        """DELETE: forget faults and the log."""
        self.pending.clear()
        self.requests.clear()
        return web.json_response({})

    async def log(self, request: web.Request) -> web.Response:
        """GET: the requests since the last clear."""
        return web.json_response(self.requests)


def _failure(fault: Fault) -> dict[str, Any]:
    return {
        "success": False,
        "errors": [{"code": fault.code, "message": fault.message}],
        "messages": [],
        "result": None,
    }
