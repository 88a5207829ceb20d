"""`cockroach start`: one node, from its first contact with the others to its end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import signal
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cockroach_standin import HTTP_PORT, NOTICE, SQL_PORT, StandInError
from cockroach_standin.certificates import CertificatesDirectory, common_name
from cockroach_standin.database import Database
from cockroach_standin.forwarder import Forwarder
from cockroach_standin.heartbeat import Heartbeat
from cockroach_standin.identity import Identity, load, save
from cockroach_standin.vars import expose
from cockroach_standin.web import Answer, WebServer, ask

log = logging.getLogger("cockroach")
POLL_SECONDS = 1.0


@dataclass
class Node:
    """One running node.

    :param join: hosts of the others, and of this node, to ask for the cluster.
    :param sql_host: address to listen on for SQL, None for all; likewise ``http_host``.
    """

    store: Path
    certificates: CertificatesDirectory
    advertise: str
    locality: str
    join: Sequence[str]
    sql_host: str | None = None
    http_host: str | None = None
    identity: Identity | None = None
    draining: bool = False
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _database: Database | None = None
    _forwarder: Forwarder | None = None
    _heartbeat: Heartbeat | None = None
    _initializing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _serving: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: IO[str] | None = None

    async def run(self) -> int:
        """Run until SIGTERM; returns the exit status."""
        self._hold_store()
        self.identity = load(self.store)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        web = WebServer(self._answer, common_name)
        context = self.certificates.server_context()
        loop.add_signal_handler(signal.SIGHUP, self._reload, context)
        await web.start(self.http_host, HTTP_PORT, context)
        log.warning("%s", NOTICE)
        tasks = [asyncio.create_task(self._join_and_serve()), asyncio.create_task(stop.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self.draining = True
            if tasks[0] in done:
                return tasks[0].result()
            return 0
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop()
            await web.stop()

    def _hold_store(self) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        self._lock = (self.store / "LOCK").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StandInError(f"could not lock {self.store}: another node uses this store") from None

    async def _join_and_serve(self) -> int:
        while self.identity is None:
            await self._look_for_cluster()
            if self.identity is None:
                await asyncio.sleep(POLL_SECONDS)
        if self.identity.is_primary:
            database = Database(self.store, self.certificates, self.sql_host)
            await asyncio.to_thread(database.create)
            self._database = database
            await database.start()
        else:
            self._forwarder = Forwarder(self.identity.primary)
            await self._forwarder.start(self.sql_host, SQL_PORT)
        self._heartbeat = Heartbeat(self)
        log.warning("node serves SQL on port %d; the data is at %s", SQL_PORT, self.identity.primary)
        self._serving.set()
        beating = asyncio.create_task(self._heartbeat.run())
        try:
            if self._database is None:
                await asyncio.Event().wait()
                return 0
            status = await self._database.wait()
            log.error("postgres ended with status %d", status)
            return 1
        finally:
            beating.cancel()

    async def _look_for_cluster(self) -> None:
        found = await self._cluster_of_peers()
        # While the others were asked, `cockroach init` may have made this node the primary.
        if found is None or self.identity is not None or self._initializing.locked():
            return
        if found["primary"].rpartition(":")[0] == self.advertise:
            raise StandInError(
                f"the other nodes name {self.advertise} as the one that holds the data, but {self.store} is empty: "
                "bring its data back, or empty the stores of all nodes to begin anew"
            )
        identity = Identity(found["cluster_id"], found["primary"], False)
        save(self.store, identity)
        self.identity = identity

    async def _cluster_of_peers(self) -> dict[str, str] | None:
        """Ask the join hosts, all at once, for the cluster they belong to."""
        others = [host for host in self.join if host.partition(":")[0] != self.advertise]
        context = self.certificates.client_context("node")

        async def cluster_of(host: str) -> dict[str, str] | None:
            with contextlib.suppress(OSError, TimeoutError, ValueError):
                status, body = await ask(host.partition(":")[0], "GET", "/standin/cluster", context, HTTP_PORT)
                if status == 200:
                    return dict(json.loads(body))
            return None

        answers = await asyncio.gather(*map(cluster_of, others))
        return next((answer for answer in answers if answer), None)

    async def _initialize(self) -> Answer:
        async with self._initializing:
            if self.identity is None:
                peers = await self._cluster_of_peers()
                if peers is None:
                    identity = Identity(str(uuid.uuid4()), f"{self.advertise}:{SQL_PORT}", True)
                    save(self.store, identity)
                    self.identity = identity
                    return Answer.of(200, {"cluster_id": identity.cluster_id})
                cluster_id = peers["cluster_id"]
            else:
                cluster_id = self.identity.cluster_id
        return Answer.of(409, {"error": f"cluster has already been initialized with ID {cluster_id}"})

    async def _answer(self, method: str, target: str, name: str | None) -> Answer:
        match method, target:
            case "GET", "/health":
                return Answer.of(200, {})
            case "GET", "/health?ready=1":
                problem = await self._problem()
                return Answer.of(503, {"error": problem, "code": 14}) if problem else Answer.of(200, {})
            case "GET", "/_status/vars":
                unready = await self._problem()
                nodes = self._heartbeat.nodes if self._heartbeat else []
                return Answer(200, expose(nodes, unready is None), "text/plain; version=0.0.4")
            case "GET", "/standin/cluster":
                if self.identity is None:
                    return Answer.of(503, {"error": "node is waiting for cockroach init"})
                return Answer.of(200, {"cluster_id": self.identity.cluster_id, "primary": self.identity.primary})
            case "POST", "/standin/init":
                if name != "root":
                    return Answer.of(403, {"error": "cockroach init needs the certificate of root"})
                return await self._initialize()
        return Answer.of(404, {"error": f"the stand-in has no {method} {target}"})

    async def _problem(self) -> str | None:
        """Why this node is not ready for clients, or None."""
        if self.draining:
            return "node is shutting down"
        if not self._serving.is_set():
            return "node is waiting for cluster initialization"
        part = self._database or self._forwarder
        assert part is not None and self._heartbeat is not None
        if not await part.answers():
            self._heartbeat.fresh = False
            return f"node is not healthy: {self.identity.primary if self.identity else '?'} cannot be reached"
        # A server that is still starting up answers as well, and a node that is not listed yet has no region.
        return None if self._heartbeat.fresh else "node is not healthy: waiting for a heartbeat to reach the data"

    def _reload(self, context: object) -> None:
        """SIGHUP: read renewed certificates."""
        import ssl

        if isinstance(context, ssl.SSLContext):
            context.load_cert_chain(*self.certificates.pair("node"))
        if self._database is not None:
            self._database.reload()
        log.warning("certificates were read anew at %s", time.strftime("%H:%M:%S"))

    async def _stop(self) -> None:
        if self._forwarder is not None:
            await self._forwarder.stop()
        if self._database is not None:
            await self._database.stop()
