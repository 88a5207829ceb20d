# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bodies from strangers: bounded in bytes and in time, one by one and together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from style_transfer.problems import Problem

#: After a refusal the rest of a body is read for this long, so that the client sees the answer and not a reset.
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 << 20


class BodyReader:
    """Reads whole bodies.

    :param max_bytes: of one body; more is 413, whether it was announced or comes in chunks.
    :param budget_bytes: of all bodies held at the same time; beyond it requests are answered 503.
    :param seconds: from the first to the last byte; longer is 408.
    """

    def __init__(self, max_bytes: int, budget_bytes: int, seconds: float) -> None:
        self.max_bytes = max_bytes
        self.seconds = seconds
        self.held_bytes = 0
        self._budget = budget_bytes

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """Give the body; its bytes count against the budget until the block is left."""
        announced = self._announced(request)
        if announced is not None and announced > self.max_bytes:
            raise self._too_large()
        held = 0
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self.seconds):
                async for chunk in request.stream():
                    request.state.body_begun = True
                    held += len(chunk)
                    self.held_bytes += len(chunk)
                    if held > self.max_bytes:
                        raise self._too_large()
                    if self.held_bytes > self._budget:
                        raise Problem(
                            HTTPStatus.SERVICE_UNAVAILABLE,
                            "uploads-full",
                            "Too many photos are being received. Try again in a few seconds.",
                            retry_after=3,
                            close=True,
                        )
                    chunks.append(chunk)
            yield b"".join(chunks)
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT,
                "body-slow",
                f"The body was not complete after {self.seconds:g} s ({held} bytes came). Send a smaller photo, or "
                "send it over a faster connection.",
                close=True,
            ) from None
        finally:
            self.held_bytes -= held

    @staticmethod
    def _announced(request: Request) -> int | None:
        text = request.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    def _too_large(self) -> Problem:
        return Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body-too-large",
            f"The body has more than {self.max_bytes} bytes. Make the photo smaller: the painting has at most 1536 "
            "pixels a side anyway.",
            close=True,
        )

    async def linger(self, request: Request) -> None:
        """Drop the rest of a body that is refused: a close with unread bytes would reset the answer away."""
        if getattr(request, "_stream_consumed", False):
            return
        waits = request.headers.get("expect", "").lower() == "100-continue"
        if waits and not getattr(request.state, "body_begun", False):
            return  # the client waits for our word before it sends anything
        dropped = 0
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while dropped < _LINGER_BYTES:
                    message = await request.receive()
                    dropped += len(message.get("body", b""))
                    if message["type"] == "http.disconnect" or not message.get("more_body"):
                        return
        except (TimeoutError, ClientDisconnect):
            return
