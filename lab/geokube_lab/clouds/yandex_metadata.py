# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Yandex machine's metadata service, as far as it gives a token (``YC_METADATA_ADDR``)."""

from __future__ import annotations

from datetime import UTC, datetime

from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.http import Server
from geokube_lab.clouds.messages import Request, Response, json_response
from geokube_lab.clouds.yandex_identity import IdentityProvider

_TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


class MetadataService:
    """Serves on a port of its own, with faults of its own."""

    def __init__(self, identity: IdentityProvider) -> None:
        self.faults = Faults()
        self._identity = identity
        self._server = Server(self)

    @property
    def address(self) -> str:
        """Host and port, as YC_METADATA_ADDR takes them."""
        return f"127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Starts to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stops to serve."""
        self._server.stop()

    def call(self, request: Request) -> Call:
        """The operation is the path."""
        return Call(request.path)

    def failure(self, request: Request, fault: Fault) -> Response:
        """An error in plain text."""
        return Response(fault.status, (fault.message or "error").encode(), "text/plain")

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request."""
        if request.headers.get("Metadata-Flavor") != "Google":
            return Response(403, b"Missing required header: Metadata-Flavor", "text/plain")
        if request.path != _TOKEN_PATH:
            return Response(404, b"not found", "text/plain")
        token, until = self._identity.issue()
        seconds = int((until - datetime.now(UTC)).total_seconds())
        return json_response(200, {"access_token": token, "expires_in": seconds, "token_type": "Bearer"})
