"""TCP forwarding from a node without data to the primary: TLS ends there, so no byte is looked at here."""

from __future__ import annotations

import asyncio
import contextlib
import socket

CONNECT_SECONDS = 5


class Forwarder:
    """Listens on the SQL port and connects each client to the primary."""

    def __init__(self, primary: str) -> None:
        host, _, port = primary.rpartition(":")
        self._host, self._port = host, int(port)
        self._server: asyncio.Server | None = None

    async def start(self, host: str | None, port: int) -> None:
        """Listen; ``host`` None means on all addresses."""
        self._server = await asyncio.start_server(self._serve, host, port)

    async def answers(self) -> bool:
        """Whether the primary can be reached from here and speaks PostgreSQL."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                with contextlib.closing(writer):
                    # GSSENCRequest: every PostgreSQL answers it with one letter and minds no goodbye after it.
                    writer.write(bytes.fromhex("0000000804d21630"))
                    return await reader.readexactly(1) in (b"N", b"G")
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError):
                return
            with contextlib.closing(far_writer):
                for one in (writer, far_writer):
                    _find_dead_peers(one.get_extra_info("socket"))
                pumps = {
                    asyncio.create_task(_pump(reader, far_writer)),
                    asyncio.create_task(_pump(far_reader, writer)),
                }
                _, pending = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for pump in pending:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def _find_dead_peers(connection: socket.socket) -> None:
    """A region that is cut off sends no reset: give up on it after some seconds of silence to our data."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3)):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
