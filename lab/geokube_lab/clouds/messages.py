# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request, an answer, and what turns one into the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Protocol

from geokube_lab.clouds.faults import Call, Fault, Faults


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is decoded, without the query; ``target`` is as it came."""

    method: str
    path: str
    target: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def bearer(self) -> str | None:
        """The token of the Authorization header, if there is one."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is the document as compact JSON."""
    return Response(status, json.dumps(document, separators=(",", ":")).encode(), headers=headers or {})


class Application(Protocol):
    """What answers the requests of one server."""

    faults: Faults

    def call(self, request: Request) -> Call:
        """How the faults see this request."""

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer; ``fault`` is one that changes what a page says, or None."""

    def failure(self, request: Request, fault: Fault) -> Response:
        """The answer for a fault of the kind ``status``."""
