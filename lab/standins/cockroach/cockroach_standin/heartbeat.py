"""Each node tells the primary that it lives, and learns who else does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cockroach_standin import SQL_PORT
from cockroach_standin.catalogue import BEAT_SECONDS, HEARTBEAT, NODES

if TYPE_CHECKING:
    from cockroach_standin.node import Node

log = logging.getLogger("cockroach")


@dataclass(frozen=True)
class NodeRow:
    """A row of the catalogue's nodes."""

    id: int
    address: str
    locality: str
    started_at: datetime
    updated_at: datetime
    decommissioned: bool
    live: bool


class Heartbeat:
    """Writes this node's row every few seconds over one connection.

    :ivar nodes: all nodes as of the last beat that reached the primary.
    :ivar fresh: whether a beat has reached the primary since it was last found away.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.nodes: list[NodeRow] = []
        self.fresh = False

    async def run(self) -> None:
        """Beat until cancelled; a primary that cannot be reached is tried again."""
        import psycopg

        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    autocommit=True, dbname="system", connect_timeout=8, **self._address()
                ) as connection:
                    while True:
                        async with asyncio.timeout(10):
                            await self._beat(connection)
                        self.fresh = True
                        await asyncio.sleep(BEAT_SECONDS)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.info("heartbeat failed: %s", type(error).__name__)
                self.fresh = False
                await asyncio.sleep(BEAT_SECONDS)

    def _address(self) -> dict[str, Any]:
        node = self._node
        assert node.identity is not None
        host = node.identity.primary.rpartition(":")[0]
        return {"host": host, "port": SQL_PORT, **node.certificates.connection_parameters("node")}

    async def _beat(self, connection: Any) -> None:
        node = self._node
        address = f"{node.advertise}:{SQL_PORT}"
        values = {"address": address, "locality": node.locality, "started_at": node.started_at}
        await connection.execute(HEARTBEAT, values)
        rows = await (await connection.execute(NODES)).fetchall()
        self.nodes = [NodeRow(*row) for row in rows]
