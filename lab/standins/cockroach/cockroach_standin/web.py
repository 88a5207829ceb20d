"""The node's HTTPS port: health, metrics, and what nodes of the stand-in tell each other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

REQUEST_SECONDS = 10
MAX_HEADER_BYTES = 16384


@dataclass(frozen=True)
class Answer:
    """Status, body and media type."""

    status: int
    body: str
    media_type: str = "application/json"

    @classmethod
    def of(cls, status: int, document: object) -> Answer:
        return cls(status, json.dumps(document) + "\n")


#: (method, target, the common name of the client's certificate or None) -> answer
Handler = Callable[[str, str, str | None], Awaitable[Answer]]
_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 503: "Service Unavailable"}


class WebServer:
    """HTTP/1.1, one request a connection: probes and a handful of peers need no more."""

    def __init__(self, handler: Handler, name_of: Callable[[object], str | None]) -> None:
        self._handler = handler
        self._name_of = name_of
        self._server: asyncio.Server | None = None

    async def start(self, host: str | None, port: int, context: ssl.SSLContext) -> None:
        self._server = await asyncio.start_server(self._serve, host, port, ssl=context, limit=MAX_HEADER_BYTES)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
            name = self._name_of(writer.get_extra_info("peercert"))
            answer = await self._handler(method, target, name)
            body = answer.body.encode()
            head_lines = (
                f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Error')}",
                f"Content-Type: {answer.media_type}",
                f"Content-Length: {len(body)}",
                "Connection: close",
            )
            writer.write("\r\n".join([*head_lines, "", ""]).encode() + body)
            await writer.drain()
        with contextlib.suppress(OSError, TimeoutError):
            writer.close()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()


async def ask(
    host: str, method: str, target: str, context: ssl.SSLContext, port: int, seconds: float = 8
) -> tuple[int, str]:
    """Ask a node's HTTPS port; OSError or TimeoutError when it cannot be reached."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
        with contextlib.closing(writer):
            writer.write(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode())
            answer = await reader.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if not status or not status[0].isdigit():
        raise OSError(f"{host}:{port} did not answer in HTTP")
    return int(status[0]), body.decode("utf-8", "replace")
