# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the service, read from the environment; each has a default that suits a laptop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path


class SettingsError(Exception):
    """A setting that cannot be used; the text names the variable, its value and what it should be."""


@dataclass(frozen=True)
class Settings:
    """What an operator may choose. The environment variable of ``field`` is STYLE_TRANSFER_FIELD, except for
    GEOKUBE_REGION and DATABASE_URL.

    Units: bytes, seconds, counts.
    """

    region: str = "local"
    database_url: str = ""
    #: Where SQLite keeps the records without a database_url; empty means in memory.
    database_path: str = ""
    #: Inferences at a time: one a core.
    workers: int = 0
    #: Requests that may wait for a worker; one more is answered 503.
    queue: int = 16
    #: A request that has not begun after this long in the queue is answered 503.
    queue_seconds: float = 10.0
    max_body_bytes: int = 20 << 20
    #: All bodies being received or waiting, together.
    body_budget_bytes: int = 64 << 20
    #: A body that is not complete after this long is answered 408.
    body_seconds: float = 20.0
    result_store_bytes: int = 48 << 20
    #: The region's other copies, which keep results for one another: ``host:port``, comma-separated; all addresses of a
    #: host are copies. Empty: this copy is alone.
    peers: str = ""
    #: The IP address at which the others see this copy; with ``:port`` when that is not theirs.
    own_address: str = ""
    #: What another copy may cost a request at most.
    peer_seconds: float = 0.25
    #: A copy that failed is left out so long.
    peer_pause_seconds: float = 5.0
    #: How often the names of the others are looked up.
    peer_refresh_seconds: float = 5.0
    #: Records that may wait for the database; one more is dropped and counted.
    record_queue: int = 10_000
    #: How long a record waits for others to share its statement.
    record_seconds: float = 0.25
    #: From SIGTERM to the closing of the listener: the time for others to notice that readiness is off.
    drain_seconds: float = 0.0
    #: From the closing of the listener to the end, for requests and records.
    shutdown_seconds: float = 20.0

    @property
    def worker_count(self) -> int:
        """Worker threads: the setting, else the cores this process may use."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def peer_addresses(self) -> list[tuple[str, int]]:
        """The peers as (host, port)."""
        return [_address("STYLE_TRANSFER_PEERS", part.strip()) for part in self.peers.split(",") if part.strip()]

    @property
    def own_peer_address(self) -> tuple[str, int] | None:
        """The own address with its port, the peers' one unless it is given; None without peers."""
        peers = self.peer_addresses
        if not peers:
            return None
        try:
            return str(ip_address(self.own_address)), peers[0][1]
        except ValueError:
            host, port = _address("STYLE_TRANSFER_OWN_ADDRESS", self.own_address)
        try:
            return str(ip_address(host)), port
        except ValueError:
            raise SettingsError(
                f"STYLE_TRANSFER_OWN_ADDRESS={self.own_address!r} must be this copy's IP address, as the others see it"
            ) from None


def _address(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise SettingsError(f"{name}: {text!r} must be a host and a port, for example peers.example:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings; SettingsError names the variable that is wrong. A set but empty variable is the default."""
    names = {"region": "GEOKUBE_REGION", "database_url": "DATABASE_URL"}
    values: dict[str, object] = {}
    for item in fields(Settings):
        name = names.get(item.name, f"STYLE_TRANSFER_{item.name.upper()}")
        text = environment.get(name, "").strip()
        if text:
            values[item.name] = _convert(name, text, str(item.type))
    settings = Settings(**values)  # type: ignore[arg-type]
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://")):
        raise SettingsError("DATABASE_URL must start with postgresql:// (its value is not shown here)")
    if settings.database_path and not Path(settings.database_path).parent.is_dir():
        raise SettingsError(f"STYLE_TRANSFER_DATABASE_PATH={settings.database_path}: its folder does not exist")
    if settings.own_peer_address is not None and settings.peer_seconds <= 0:
        raise SettingsError("STYLE_TRANSFER_PEER_SECONDS must be more than 0")
    return settings


def _convert(name: str, text: str, kind: str) -> object:
    if kind == "str":
        return text
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        raise SettingsError(f"{name}={text!r} must be a number") from None
    if not 0 <= number < 2**40:
        raise SettingsError(f"{name}={text!r} must be 0 or more")
    return number
