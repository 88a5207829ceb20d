# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the service, read from the environment; each has a default that suits a laptop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
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
