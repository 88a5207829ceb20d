"""PostgreSQL under the stand-in: made once, started with the node's certificates on the SQL port."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
from pathlib import Path

from cockroach_standin import SQL_PORT, StandInError
from cockroach_standin.catalogue import SCHEMA
from cockroach_standin.certificates import CertificatesDirectory

BINARIES = Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 60
_ACCESS = """
# Only this node's own processes reach the socket: its folder is theirs alone.
local   all all trust
hostssl all all all cert
"""


def _end_with_parent() -> None:
    """Let PostgreSQL stop at once when this process is killed: nobody else would stop it."""
    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGQUIT)


class Database:
    """The PostgreSQL of the primary node."""

    def __init__(self, store: Path, certificates: CertificatesDirectory, host: str | None = None) -> None:
        self.data = store / "postgresql"
        self._host = host or "*"
        self.socket = store / "run"
        self._certificates = certificates
        self._process: asyncio.subprocess.Process | None = None

    def create(self) -> None:
        """Make the data directory; a half-made one of a killed attempt is thrown away."""
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.data.with_name("postgresql.new")
        shutil.rmtree(fresh, ignore_errors=True)
        command = [f"{BINARIES}/initdb", f"--pgdata={fresh}", "--username=root", "--auth=trust"]
        done = subprocess.run([*command, "--encoding=UTF8", "--locale=C"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StandInError(f"initdb failed: {done.stderr.strip()}")
        fresh.rename(self.data)

    async def start(self) -> None:
        """Start PostgreSQL and wait until it answers."""
        self.socket.mkdir(mode=0o700, exist_ok=True)
        (self.data / "pg_hba.conf").write_text(_ACCESS)
        # The port of a process that was killed with the machine; a live one would hold the port itself.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        certificate, key = self._certificates.pair("node")
        settings = {
            "listen_addresses": self._host,
            "port": SQL_PORT,
            "unix_socket_directories": self.socket,
            "ssl": "on",
            "ssl_ca_file": self._certificates.file("ca.crt"),
            "ssl_cert_file": certificate,
            "ssl_key_file": key,
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",
            "max_connections": 100,
            "tcp_keepalives_idle": 10,
            "tcp_keepalives_interval": 5,
            "tcp_keepalives_count": 3,
            "logging_collector": "off",
            "log_min_messages": "warning",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = await asyncio.create_subprocess_exec(
            BINARIES / "postgres", "-D", self.data, *options, preexec_fn=_end_with_parent
        )
        for _ in range(START_SECONDS * 10):
            if self._process.returncode is not None:
                raise StandInError(f"postgres ended with status {self._process.returncode}")
            if await self.answers():
                await asyncio.to_thread(self._prepare)
                return
            await asyncio.sleep(0.1)
        raise StandInError(f"postgres did not answer within {START_SECONDS} s")

    async def answers(self) -> bool:
        """Whether PostgreSQL accepts connections."""
        options = ("-q", "-t", "2", "-U", "root", "-d", "postgres", "-p", str(SQL_PORT))
        probe = await asyncio.create_subprocess_exec(BINARIES / "pg_isready", *options, "-h", self.socket)
        return await probe.wait() == 0

    def _prepare(self) -> None:
        """Make the databases and users that a CockroachDB cluster has from the start, and the catalogue."""
        import psycopg

        address = {"host": str(self.socket), "port": SQL_PORT, "user": "root"}
        with psycopg.connect(dbname="postgres", autocommit=True, **address) as connection:  # type: ignore[arg-type]
            for name in ("defaultdb", "system"):
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                    connection.execute(f'CREATE DATABASE "{name}"'.encode())
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'node'").fetchone():
                connection.execute("CREATE ROLE node LOGIN")
        with psycopg.connect(dbname="system", autocommit=True, **address) as connection:  # type: ignore[arg-type]
            connection.execute(SCHEMA.encode())

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def wait(self) -> int:
        """Wait for the end of PostgreSQL; returns its exit status."""
        assert self._process is not None
        return await self._process.wait()

    def reload(self) -> None:
        """Read the certificates anew."""
        if self.running and self._process is not None:
            os.kill(self._process.pid, signal.SIGHUP)

    async def stop(self) -> None:
        """End PostgreSQL: sessions are cut, what was committed is on disk."""
        if self.running and self._process is not None:
            self._process.send_signal(signal.SIGINT)
            await self._process.wait()
