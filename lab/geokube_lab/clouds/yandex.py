# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yandex Cloud's gRPC API as far as one lists instances, zones and folders and obtains a token with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from geokube_lab.clouds import credentials, yandex_services
from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.faults import Fault, Faults
from geokube_lab.clouds.machine import YANDEX_FOLDER
from geokube_lab.clouds.relay import Relay
from geokube_lab.clouds.yandex_documents import ZONES, grpc_status, instance
from geokube_lab.clouds.yandex_identity import IdentityProvider
from geokube_lab.clouds.yandex_metadata import MetadataService

_PAGE_FAULTS = ("empty-page", "token-loop", "drop-page")
_REQUEST_ID = "x-request-id"


class Yandex(Emulator):
    """Yandex Cloud on one port, without TLS; the endpoint is host:port.

    The folders are the lab's own, those of the machines, and ``folders``, which may have no machine.
    """

    name = "yandex"

    def __init__(self, port: int = 0, faults: Faults | None = None, folders: Iterable[str] = ()) -> None:
        super().__init__(faults)
        self.tokens = credentials.Tokens(credentials.YANDEX_TOKEN)
        self.identity = IdentityProvider(self.tokens)
        self.metadata = MetadataService(self.identity)
        self._more_folders = frozenset(folders)
        self._folders: dict[str, list[yandex_services.Listed]] = {}
        self._relay = Relay(port)
        self._server: grpc.Server | None = None

    @property
    def folders(self) -> Mapping[str, Sequence[yandex_services.Listed]]:
        """The instances of each folder."""
        return self._folders

    @property
    def endpoint(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._relay.port}"

    def start(self) -> None:
        """Starts to serve."""
        # A hanging request keeps its thread, and a client may leave many of them behind.
        server = grpc.server(ThreadPoolExecutor(64), options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((_Handlers(self),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self._relay.start(port)
        self.metadata.start()
        self._server = server

    def stop(self) -> None:
        """Stops to serve."""
        self.faults.clear()
        self._relay.stop()
        self.metadata.stop()
        if self._server is not None:
            self._server.stop(0).wait(5)

    def _loaded(self) -> None:
        folders: dict[str, list[yandex_services.Listed]] = {name: [] for name in {YANDEX_FOLDER, *self._more_folders}}
        for machine in sorted(self._machines, key=lambda each: each.instance_id):
            if machine.zone not in ZONES:
                raise ValueError(
                    f"yandex: {machine.name} is in zone {machine.zone!r}, which Yandex Cloud does not have"
                )
            message = instance(machine)
            folders.setdefault(machine.account, []).append(yandex_services.Listed(message))
        self._folders = folders

    def serve(self, method: yandex_services.Method, payload: bytes, context: grpc.ServicerContext) -> bytes:
        """Answers one request, spoilt as the faults say."""
        request = method.request.FromString(payload)
        call = method.call(request)
        generation = self.faults.generation
        self.faults.begin(call)
        try:
            fault = self.faults.take(call)
            self.faults.delay(fault)
            context.set_trailing_metadata(((_REQUEST_ID, "5a3b7f8e-0000-4000-8000-000000000001"),))
            if fault is not None:
                self._before(fault, context, generation)
            try:
                if not method.open:
                    self._authorize(context)
                page_fault = fault if fault is not None and fault.kind in _PAGE_FAULTS else None
                body = method.answer(self, request, page_fault)
            except yandex_services.Refused as refused:
                code, _ = grpc_status(refused.status)
                context.abort(code, str(refused))
            return body[: len(body) // 2] if fault is not None and fault.kind == "torn" else body
        finally:
            self.faults.end()

    def _authorize(self, context: grpc.ServicerContext) -> None:
        given = dict(context.invocation_metadata()).get("authorization", "")
        scheme, _, token = str(given).partition(" ")
        identity = self.tokens.identity(token if scheme.lower() == "bearer" and token else None)
        if identity == "missing":
            raise yandex_services.Refused(401, "Authorization metadata is missing")
        if identity == "unknown":
            raise yandex_services.Refused(401, "The token is invalid")
        if identity == "guest":
            raise yandex_services.Refused(403, "Permission denied")

    def _before(self, fault: Fault, context: grpc.ServicerContext, generation: int) -> None:
        match fault.kind:
            case "status":
                code, message = grpc_status(fault.status)
                if fault.retry_after is not None:
                    context.set_trailing_metadata(((_REQUEST_ID, "lab"), ("retry-after", fault.retry_after)))
                context.abort(code, fault.message or message)
            case "hang":
                while context.is_active() and self.faults.generation == generation:
                    time.sleep(0.05)
                context.abort(grpc.StatusCode.UNAVAILABLE, "the lab let a hanging request go")
            case "unreachable":
                context.abort(grpc.StatusCode.UNAVAILABLE, f"Zone {fault.scope} is not available")
            case "drip" | "drip-head" | "reset" | "reset-body" | "short":
                mode = {"drip-head": "drip", "reset-body": "cut", "short": "cut"}.get(fault.kind, fault.kind)
                # The server sees the relay's end of the connection: ipv4:127.0.0.1:PORT.
                connection = self._relay.connection(int(context.peer().rpartition(":")[2]))
                if connection is not None:
                    connection.spoil(mode, fault.seconds, lambda: self.faults.generation != generation)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the method; requests and answers pass as bytes, so that an answer can be cut."""

    def __init__(self, emulator: Yandex) -> None:
        self._emulator = emulator

    def service(self, handler_call_details: Any) -> Any:
        """The handler of a method; None makes the answer UNIMPLEMENTED."""
        method = yandex_services.METHODS.get(handler_call_details.method)
        if method is None:
            return None
        return grpc.unary_unary_rpc_method_handler(self._behavior(method))

    def _behavior(self, method: yandex_services.Method) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        return lambda payload, context: self._emulator.serve(method, payload, context)
