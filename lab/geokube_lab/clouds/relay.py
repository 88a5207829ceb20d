# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP relay in front of a server, which spoils what the server sends on chosen connections."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable


class Connection:
    """One client's connection. ``spoil`` takes effect on the next bytes from the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client = client
        self._server = server
        self._mode = ""
        self._seconds = 1.0
        self._released: Callable[[], bool] = bool
        self._closed = threading.Event()

    def spoil(self, mode: str, seconds: float, released: Callable[[], bool]) -> None:
        """From now on: ``drip`` (a byte every ``seconds``), ``reset``, or ``cut`` (half of what comes, then close).

        The connection works again once ``released`` gives true.
        """
        self._seconds, self._released = seconds, released
        self._mode = mode

    @property
    def closed(self) -> bool:
        """Whether both sides are done."""
        return self._closed.is_set()

    def run(self) -> None:
        """Copies both ways until one side closes."""
        upward = threading.Thread(target=self._upward, daemon=True)
        upward.start()
        with contextlib.suppress(OSError):
            while data := self._server.recv(262_144):
                if not self._forward(data):
                    break
        self.close()
        upward.join(5)

    def _upward(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65_536):
                self._server.sendall(data)
        self.close()

    def _forward(self, data: bytes) -> bool:
        if self._mode and self._released():
            self._mode = ""
        match self._mode:
            case "drip":
                return self._drip(data)
            case "reset":
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case "cut":
                self._client.sendall(data[: len(data) // 2])
                # Let the half arrive before the connection goes.
                time.sleep(0.05)
                return False
            case _:
                self._client.sendall(data)
                return True

    def _drip(self, data: bytes) -> bool:
        for index in range(len(data)):
            self._client.sendall(data[index : index + 1])
            end = time.monotonic() + self._seconds
            while (left := end - time.monotonic()) > 0:
                if self._released():
                    self._client.sendall(data[index + 1 :])
                    return True
                if self._closed.wait(min(left, 0.1)):
                    return False
        return True

    def close(self) -> None:
        """Closes both sides."""
        if self._closed.is_set():
            return
        self._closed.set()
        for side in (self._client, self._server):
            with contextlib.suppress(OSError):
                # The other thread's recv must be woken or the socket stays open; for a reset without sending an end.
                reset = side is self._client and self._mode == "reset"
                side.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            side.close()


class Relay:
    """Listens on a loopback port and passes each connection on to another."""

    def __init__(self, port: int = 0) -> None:
        try:
            self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        except OSError as error:
            raise OSError(error.errno, f"127.0.0.1:{port} cannot be listened on: {error.strerror}") from error
        self._target = 0
        self._lock = threading.Lock()
        self._connections: dict[int, Connection] = {}
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    def start(self, target: int) -> None:
        """Starts to pass connections on to the loopback port ``target``."""
        self._target = target
        threading.Thread(target=self._accept, daemon=True).start()

    def connection(self, port: int) -> Connection | None:
        """The connection that the server sees as coming from the loopback port ``port``."""
        with self._lock:
            return self._connections.get(port)

    def stop(self) -> None:
        """Closes the listener and every connection."""
        self._stopping.set()
        # A closed listener does not wake a thread in accept; a shut down one does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = tuple(self._connections.values())
        for connection in connections:
            connection.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = int(server.getsockname()[1])
        connection = Connection(client, server)
        with self._lock:
            self._connections[port] = connection
        try:
            connection.run()
        finally:
            with self._lock:
                self._connections.pop(port, None)
