# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One request to another copy of the service in this region."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import h11

#: No painting is larger: 1536 x 1536 pixels as a PNG that cannot be compressed.
MAX_ANSWER_BYTES = 8 << 20
_CHUNK = 1 << 16


class PeerError(Exception):
    """A copy that did not answer as it should; the text says how."""


@dataclass(frozen=True)
class Answer:
    """What a copy answered; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


async def exchange(
    host: str,
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    seconds: float,
) -> Answer:
    """Ask and read the whole answer within ``seconds``; raises PeerError, also for an answer torn or too large."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                connection = h11.Connection(our_role=h11.CLIENT)
                sent = {"Host": "peer", "Connection": "close", "Content-Length": str(len(content)), **(headers or {})}
                request = h11.Request(method=method, target=path, headers=list(sent.items()))
                parts = (
                    [request, h11.Data(data=content), h11.EndOfMessage()] if content else [request, h11.EndOfMessage()]
                )
                writer.write(b"".join(connection.send(part) or b"" for part in parts))
                await writer.drain()
                return await _answer(connection, reader)
            finally:
                # Not close(): nothing more is to be said, and a copy that hangs must not be waited for.
                writer.transport.abort()
    except TimeoutError:
        raise PeerError(f"no answer within {seconds:g} s") from None
    except (OSError, h11.ProtocolError) as error:
        raise PeerError(str(error) or type(error).__name__) from error


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    response: h11.Response | None = None
    content = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            # An empty read is the end of the connection, which h11 takes for an error where it comes too early.
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            content += event.data
            if len(content) > MAX_ANSWER_BYTES:
                raise PeerError(f"its answer has more than {MAX_ANSWER_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            names = {name.decode("ascii"): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status_code, names, bytes(content))
        elif isinstance(event, h11.ConnectionClosed):
            raise PeerError("it closed the connection without an answer")
