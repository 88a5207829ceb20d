# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Cloudflare's rules language that cache rules in this project use."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from geokube_lab.edge.errors import ApiError

CLAUSE = re.compile(
    r"(?:(?P<function>starts_with|ends_with)\(\s*(?P<field1>[a-z._]+)\s*,\s*\"(?P<text1>[^\"]*)\"\s*\)"
    r"|(?P<field2>[a-z._]+)\s+(?P<operator>eq|ne|contains|matches)\s+\"(?P<text2>[^\"]*)\""
    r"|(?P<field3>[a-z._]+)\s+in\s+\{(?P<set>[^}]*)\})"
)
FIELDS: dict[str, Callable[[web.BaseRequest], str]] = {
    "http.host": lambda request: request.host.rsplit(":", 1)[0],
    "http.request.method": lambda request: request.method,
    "http.request.uri": lambda request: request.raw_path,
    "http.request.uri.path": lambda request: request.path,
    "http.request.uri.path.extension": lambda request: request.path.rsplit(".", 1)[-1] if "." in request.path else "",
}


def matches(expression: str, request: web.BaseRequest) -> bool:
    """Whether a request fits an expression of clauses joined by `and` within `or`, without nested groups."""
    if expression.strip() == "true":
        return True
    return any(
        all(_clause(clause.strip(), request) for clause in re.split(r"\s+and\s+|\s*&&\s*", part.strip()))
        for part in re.split(r"\s+or\s+|\s*\|\|\s*", expression.strip())
    )


def parse(expression: str) -> None:
    """Check an expression; ApiError 20127 names the clause that is not understood."""
    if expression.strip() == "true":
        return
    for part in re.split(r"\s+or\s+|\s*\|\|\s*", expression.strip()):
        for clause in re.split(r"\s+and\s+|\s*&&\s*", part.strip()):
            _parsed(clause.strip())


def _parsed(clause: str) -> re.Match[str]:
    text = clause.removeprefix("not ").strip()
    found = CLAUSE.fullmatch(text) or CLAUSE.fullmatch(text.removeprefix("(").removesuffix(")").strip())
    if not found:
        raise ApiError(400, 20127, f"filter parsing error: {clause!r} is not understood")
    name = found["field1"] or found["field2"] or found["field3"]
    if name not in FIELDS:
        raise ApiError(400, 20127, f"filter parsing error: unknown field {name!r}")
    return found


def _clause(clause: str, request: web.BaseRequest) -> bool:
    found = _parsed(clause)
    value = FIELDS[found["field1"] or found["field2"] or found["field3"]](request)
    if found["function"] == "starts_with":
        result = value.startswith(found["text1"])
    elif found["function"] == "ends_with":
        result = value.endswith(found["text1"])
    elif found["set"] is not None:
        result = value in re.findall(r'"([^"]*)"', found["set"])
    elif found["operator"] == "contains":
        result = found["text2"] in value
    elif found["operator"] == "matches":
        result = re.search(found["text2"], value) is not None
    else:
        result = (value == found["text2"]) == (found["operator"] == "eq")
    return bool(result) != clause.startswith("not ")
