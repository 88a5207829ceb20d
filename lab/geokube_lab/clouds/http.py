# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small threaded HTTP/1.1 server with keep-alive, which spoils answers as the faults say."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from geokube_lab.clouds.faults import Fault
from geokube_lab.clouds.messages import Application, Request, Response


class Server:
    """Serves an application on one loopback port, a thread for each connection."""

    def __init__(self, application: Application, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._server = _Listener((host, port), application)
        except OSError as error:
            raise OSError(error.errno, f"{host}:{port} cannot be listened on: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Starts to serve, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the listener and every connection."""
        self._server.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()
        self._server.close_connections()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Binds without the name look-up that the standard server does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def remember(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._connections_lock:
            self._connections.discard(connection)

    def close_connections(self) -> None:
        with self._connections_lock:
            connections = tuple(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tells what went wrong, unless the client only went away."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self.server.remember(self.connection)

    def finish(self) -> None:
        self.server.forget(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            target=self.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=self.headers,
            body=self.rfile.read(length) if length else b"",
        )
        application, faults = self.server.application, self.server.application.faults
        call = application.call(request)
        generation = faults.generation
        faults.begin(call)
        try:
            fault = faults.take(call)
            faults.delay(fault)
            if fault is None:
                self._send(application.respond(request, None))
            elif fault.kind == "hang":
                self._hang(generation)
            elif fault.kind == "reset":
                self._reset()
            elif fault.kind == "status":
                self._send(application.failure(request, fault))
            else:
                self._send(application.respond(request, fault), fault)
        finally:
            faults.end()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve

    def _head(self, response: Response, length: int) -> bytes:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [
            f"HTTP/1.1 {response.status} {phrase}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _send(self, response: Response, fault: Fault | None = None) -> None:
        body = b"" if self.command == "HEAD" else response.body
        half = body[: len(body) // 2]
        match fault.kind if fault is not None else "":
            case "torn":
                self._write(self._head(response, len(half)) + half)
            case "short":
                self._write(self._head(response, len(body)) + half)
                self.close_connection = True
            case "reset-body":
                self._write(self._head(response, len(body)) + half)
                # Let the client read the half before the reset throws its buffer away.
                time.sleep(0.05)
                self._reset()
            case "drip" | "drip-head" as kind if fault is not None:
                head = self._head(response, len(body))
                if kind == "drip":
                    self._write(head)
                self._drip(body if kind == "drip" else head + body, fault.seconds)
            case _:
                self._write(self._head(response, len(body)) + body)

    def _write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def _drip(self, data: bytes, seconds: float) -> None:
        generation = self.server.application.faults.generation
        for index in range(len(data)):
            if self._released(generation):
                self.close_connection = True
                return
            self._write(data[index : index + 1])
            self._pause(seconds, generation)

    def _hang(self, generation: int) -> None:
        while not self._released(generation):
            time.sleep(0.05)
        self.close_connection = True

    def _pause(self, seconds: float, generation: int) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._released(generation):
            time.sleep(min(0.1, left))

    def _released(self, generation: int) -> bool:
        """Whether there is no more point in keeping the client: faults cleared, server stopped, client gone."""
        if self.server.stopping.is_set() or self.server.application.faults.generation != generation:
            return True
        try:
            readable, _, _ = select.select([self.connection], [], [], 0)
            return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """The emulators count requests instead of writing them to a log."""
