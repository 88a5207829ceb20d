# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's request body on its way to an origin, kept while it is small enough to be sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

LARGEST = 100 * 1024 * 1024
REPLAYABLE = 16 * 1024 * 1024
PIECE = 256 * 1024


class TooLarge(Exception):
    """The body is larger than the edge takes."""


class Payload:
    """The body of one request; `stream` may be read again as long as `replayable` holds."""

    def __init__(self, request: web.BaseRequest) -> None:
        """Raises TooLarge when the request says so beforehand."""
        self.present = request.body_exists
        self.length = request.content_length
        if (self.length or 0) > LARGEST:
            raise TooLarge
        self._request = request
        self._kept: list[bytes] = []
        self._size = 0
        self._done = not self.present
        self.replayable = True

    async def stream(self) -> AsyncIterator[bytes]:
        """Give what was kept, then the rest as it arrives."""
        for piece in list(self._kept):
            yield piece
        while not self._done:
            piece = await self._request.content.read(PIECE)
            if not piece:
                self._done = True
                return
            self._size += len(piece)
            if self._size > LARGEST:
                raise TooLarge
            if self._size <= REPLAYABLE:
                self._kept.append(piece)
            else:
                self._kept.clear()
                self.replayable = False
            yield piece
