# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that the API gives a page at a time."""

from __future__ import annotations

from aiohttp import web

from geokube_lab.edge.errors import invalid
from geokube_lab.edge.store import Record


def page_of(request: web.Request, found: list[Record], size: int) -> web.Response:
    """Answer the page that the query asks for, of `size` records unless it says otherwise."""
    try:
        page, size = int(request.query.get("page", "1")), int(request.query.get("per_page", str(size)))
    except ValueError as error:
        raise invalid("page", str(error)) from error
    part = found[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(found),
            "total_pages": -(-len(found) // size)}  # fmt: skip
    body = {"success": True, "errors": [], "messages": [], "result": part, "result_info": info}
    return web.json_response(body)
