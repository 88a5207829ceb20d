# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The other copies of this region: who they are, and which of them keeps a result.

Every copy keeps what it painted and hands it to the result's owner, so that two have it. The owner is the first of the
region's copies in an order that hashes the result's id with their addresses (rendezvous hashing:
https://en.wikipedia.org/wiki/Rendezvous_hashing). A copy that lacks a result asks its owner. Who is there is looked up
in the background, never by a request.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from style_transfer.painting import MEDIA_TYPES, Painting
from style_transfer.peer_client import Answer, PeerError, exchange

log = logging.getLogger(__name__)

PATH = "/peers/results/"
REGION_HEADER = "x-geokube-region"
WIDTH_HEADER, HEIGHT_HEADER = "x-painting-width", "x-painting-height"
#: Of a painting; more is no painting of this service.
MAX_SIDE = 1536
#: A result that was asked for by its name is sought with so many copies, for its owner may be new.
SEEK = 4
_MAX_HANDED = 16
_HAND_SECONDS = 5.0

Address = tuple[str, int]


@dataclass
class Peer:
    """Another copy. ``away_until`` is 0, or the time (monotonic) at which one request may try it again."""

    address: Address
    away_until: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.address[0]} port {self.address[1]}"


class Peers:
    """The region's copies besides this one; without names there are none, and nothing is ever asked.

    :param names: ``host:port`` each; all addresses of a host are copies.
    :param own: the address at which the others see this copy.
    :param seconds: what one copy may cost a request at most.
    :param pause_seconds: a copy that failed is left out so long, then one request tries it.
    :param on_asked: called with ``hit``, ``miss`` or ``failed`` for each copy asked.
    """

    def __init__(
        self,
        names: list[Address],
        own: Address | None,
        region: str,
        *,
        seconds: float,
        pause_seconds: float,
        refresh_seconds: float,
        on_asked: Callable[[str], None],
    ) -> None:
        self._names = names
        self._own = own
        self._region = region
        self._seconds = seconds
        self._pause_seconds = pause_seconds
        self._refresh_seconds = refresh_seconds
        self._on_asked = on_asked
        self._peers: dict[Address, Peer] = {}
        self._looked_up = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def known(self) -> int:
        return len(self._peers)

    @property
    def away(self) -> int:
        return sum(peer.away_until > 0 for peer in self._peers.values())

    def start(self) -> None:
        """Begin to look the others up, again and again."""
        if self._names:
            self._refreshing = asyncio.create_task(self._refresh_for_ever())

    async def stop(self, results: Iterable[tuple[str, Painting]], seconds: float) -> None:
        """Bring the results that this copy owns to who owns them after it, for so long."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await self._refreshing
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*self._tasks)
                await self._leave(results)

    async def _refresh_for_ever(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._refresh_seconds)

    async def refresh(self) -> None:
        """Look up who is there; those known stay when names cannot be had."""
        self._looked_up = time.monotonic()
        found: set[Address] = set()
        for host, port in self._names:
            try:
                answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                log.warning("peers not found", extra={"peer": host, "error": str(error)})
                return
            # The others see one address of this copy: one of another family would be this copy once more.
            found |= {(str(answer[4][0]), port) for answer in answers if self._same_family(str(answer[4][0]))}
        found.discard(self._own or ("", 0))
        self._peers = {address: self._peers.get(address) or Peer(address) for address in sorted(found)}

    def _same_family(self, host: str) -> bool:
        return self._own is None or (":" in host) == (":" in self._own[0])

    async def is_peer(self, host: str) -> bool:
        """Whether a connection from this address comes from another copy of the region."""
        if not self._names or not host:
            return False
        if not self._has(host) and time.monotonic() - self._looked_up > 1:
            await self.refresh()
        return self._has(host)

    def _has(self, host: str) -> bool:
        plain = str(getattr(ipaddress.ip_address(host), "ipv4_mapped", None) or host)
        return any(address[0] == plain for address in self._peers)

    def _ranked(self, result_id: str) -> list[Peer | None]:
        """The copies that are not away, the result's owner first; None is this one."""
        now = time.monotonic()
        candidates: list[tuple[Address, Peer | None]] = [(self._own or ("", 0), None)]
        candidates += [(peer.address, peer) for peer in self._peers.values() if now >= peer.away_until]

        def weight(candidate: tuple[Address, Peer | None]) -> bytes:
            return hashlib.sha256(f"{result_id} {candidate[0]}".encode()).digest()

        return [peer for _, peer in sorted(candidates, key=weight)]

    async def find(self, result_id: str, most: int = 1) -> Painting | None:
        """Ask the first ``most`` of the result's ranking, this copy not counted, at the same time; the first has it."""
        asked = [asyncio.create_task(self._get(peer, result_id)) for peer in self._ranked(result_id)[:most] if peer]
        try:
            for answer in asyncio.as_completed(asked):
                painting = await answer
                if painting is not None:
                    return painting
        finally:
            for task in asked:
                task.cancel()
        return None

    async def _get(self, peer: Peer, result_id: str) -> Painting | None:
        answer = await self._exchange(peer, "GET", result_id)
        painting = read_painting(answer.headers, answer.content) if answer and answer.status == 200 else None
        if answer is not None:
            self._on_asked("miss" if painting is None else "hit")
        return painting

    def hand(self, result_id: str, painting: Painting) -> None:
        """Bring a new result to its owner (or, where this copy is it, to the next), in the background.

        When many are under way this one is not brought.
        """
        owner = next((peer for peer in self._ranked(result_id) if peer is not None), None)
        if owner is None or len(self._tasks) >= _MAX_HANDED:
            return
        task = asyncio.create_task(self._put(owner, result_id, painting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _put(self, peer: Peer, result_id: str, painting: Painting) -> None:
        headers = painting_headers(painting)
        await self._exchange(peer, "PUT", result_id, headers, painting.content, _HAND_SECONDS)

    async def _leave(self, results: Iterable[tuple[str, Painting]]) -> None:
        for result_id, painting in results:
            first, *others = self._ranked(result_id)
            if first is None and others and others[0] is not None:
                await self._put(others[0], result_id, painting)

    async def _exchange(
        self,
        peer: Peer,
        method: str,
        result_id: str,
        headers: dict[str, str] | None = None,
        content: bytes = b"",
        seconds: float = 0.0,
    ) -> Answer | None:
        # Until it has answered, a copy that was away is away for all but this request.
        was_away = peer.away_until > 0
        if was_away:
            peer.away_until = time.monotonic() + self._pause_seconds
        host, port = peer.address
        headers = {REGION_HEADER: self._region, **(headers or {})}
        try:
            answer = await exchange(
                host, port, method, PATH + result_id, headers=headers, content=content, seconds=seconds or self._seconds
            )
            if answer.headers.get(REGION_HEADER) != self._region:
                raise PeerError(f"it is of another region: {answer.headers.get(REGION_HEADER, 'none')[:40]}")
        except PeerError as error:
            peer.away_until = time.monotonic() + self._pause_seconds
            self._on_asked("failed")
            if not was_away:
                log.warning("peer away", extra={"peer": peer.name, "error": str(error)})
            return None
        if was_away:
            log.info("peer back", extra={"peer": peer.name})
        peer.away_until = 0.0
        return answer


def read_painting(headers: Mapping[str, str], content: bytes) -> Painting | None:
    """The painting that another copy sent; None when a part of it is missing or wrong."""
    media_type = headers.get("content-type", "")
    sides = [headers.get(name, "") for name in (WIDTH_HEADER, HEIGHT_HEADER)]
    if media_type not in MEDIA_TYPES.values() or not content:
        return None
    if not all(side.isascii() and side.isdigit() and 0 < int(side[:6]) <= MAX_SIDE for side in sides):
        return None
    return Painting(content, media_type, int(sides[0]), int(sides[1]), {})


def painting_headers(painting: Painting) -> dict[str, str]:
    """What read_painting reads."""
    sides = {WIDTH_HEADER: str(painting.width), HEIGHT_HEADER: str(painting.height)}
    return {"Content-Type": painting.media_type, **sides}
