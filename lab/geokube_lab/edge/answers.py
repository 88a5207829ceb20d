# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge answers by itself: error pages, fixed responses, and where a user has come to."""

from __future__ import annotations

import time

from aiohttp import web

from geokube_lab.edge.places import Place
from geokube_lab.edge.store import Record


def page(status: int, text: str, ray: str) -> web.Response:
    """An error page."""
    headers = {"CF-Ray": ray, "Server": "cloudflare", "Cache-Control": "no-store"}
    return web.Response(status=status, text=text + "\n", headers=headers)


def fixed(response: Record, ray: str) -> web.Response:
    """The fixed response of a load balancer's rule."""
    headers = {"CF-Ray": ray, "Server": "cloudflare", "Content-Type": response.get("content_type") or "text/plain"}
    if response.get("location"):
        headers["Location"] = response["location"]
    body = str(response.get("message_body") or "").encode()
    return web.Response(status=response.get("status_code") or 200, body=body, headers=headers)


def trace(request: web.BaseRequest, place: Place) -> web.Response:
    """The answer to /cdn-cgi/trace."""
    lines = {
        "fl": "geokube",
        "h": request.host,
        "ip": request.remote or "",
        "ts": f"{time.time():.3f}",
        "visit_scheme": request.scheme,
        "colo": place.code,
        "loc": place.country,
    }
    return web.Response(text="".join(f"{key}={value}\n" for key, value in lines.items()))
