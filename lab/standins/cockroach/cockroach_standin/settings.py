"""Cluster settings and zone configurations: kept and shown, without effect on PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from cockroach_standin import StandInError
from cockroach_standin.catalogue import KNOWN_SETTINGS
from cockroach_standin.output import ResultSet
from cockroach_standin.statements import unquote, unquote_string

_DURATION = re.compile(r"^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$|^0$")
_BOOLEANS = {"true": "true", "on": "true", "t": "true", "false": "false", "off": "false", "f": "false"}
_ZONE_SETTINGS = (
    "constraints",
    "gc.ttlseconds",
    "lease_preferences",
    "num_replicas",
    "num_voters",
    "voter_constraints",
)


class Settings:
    """Reads and changes the catalogue over a connection to the database `system`."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def all(self) -> dict[str, str]:
        """Every known setting with its value."""
        kept = dict(self._system.execute("SELECT variable, value FROM standin.settings").fetchall())
        values = {**KNOWN_SETTINGS, **kept}
        return {name: values[name] for name in sorted(values)}

    def show(self, names: list[str] | None) -> ResultSet:
        values = self.all()
        chosen = values if names is None else {name: values[name] for name in sorted(names) if name in values}
        return ResultSet("SELECT", ("variable", "value"), list(chosen.items()))

    def show_one(self, name: str) -> ResultSet:
        self._check(name)
        return ResultSet("SHOW", (name,), [(self.all()[name],)])

    def set(self, name: str, literal: str) -> ResultSet:
        self._check(name)
        value = self._checked(name, unquote_string(literal))
        self._system.execute(
            "INSERT INTO standin.settings VALUES (%s, %s) ON CONFLICT (variable) DO UPDATE SET value = excluded.value",
            (name, value),
        )
        return ResultSet("SET CLUSTER SETTING")

    def reset(self, name: str) -> ResultSet:
        self._check(name)
        self._system.execute("DELETE FROM standin.settings WHERE variable = %s", (name,))
        return ResultSet("SET CLUSTER SETTING")

    @staticmethod
    def _check(name: str) -> None:
        if name not in KNOWN_SETTINGS:
            raise StandInError(
                f"ERROR: unknown cluster setting '{name}' (the stand-in knows {len(KNOWN_SETTINGS)} of them)"
            )

    @staticmethod
    def _checked(name: str, value: str) -> str:
        default = KNOWN_SETTINGS[name]
        if default in ("true", "false"):
            if value.lower() not in _BOOLEANS:
                raise StandInError(f'ERROR: parameter "{name}" requires a Boolean value\nSQLSTATE: 22023')
            return _BOOLEANS[value.lower()]
        if re.fullmatch(r"(?:\d+[smh])+", default) and not _DURATION.match(value):
            raise StandInError(f'ERROR: parameter "{name}" requires a duration value\nSQLSTATE: 22023')
        return value

    def configure_zone(self, target: str, text: str) -> ResultSet:
        name = _target(target)
        changed = dict(_zone_settings(text))
        current = dict(_zone_settings(self._zone(name)))
        current.update(changed)
        configuration = ", ".join(f"{key} = {value}" for key, value in sorted(current.items()))
        self._system.execute(
            "INSERT INTO standin.zone_configurations VALUES (%s, %s) "
            "ON CONFLICT (target) DO UPDATE SET configuration = excluded.configuration",
            (name, configuration),
        )
        return ResultSet("CONFIGURE ZONE 1")

    def show_zone(self, target: str) -> ResultSet:
        name = _target(target)
        lines = ",\n\t".join(f"{key} = {value}" for key, value in sorted(_zone_settings(self._zone(name))))
        raw = f"ALTER {name} CONFIGURE ZONE USING\n\t{lines}"
        return ResultSet("SHOW", ("target", "raw_config_sql"), [(name, raw)])

    def _zone(self, name: str) -> str:
        row = self._system.execute(
            "SELECT configuration FROM standin.zone_configurations WHERE target = %s", (name,)
        ).fetchone()
        return str(row[0]) if row else "gc.ttlseconds = 14400, num_replicas = 5, lease_preferences = '[]'"


def _target(text: str) -> str:
    kind, _, name = re.sub(r"\s+", " ", text.strip()).partition(" ")
    return f"{kind.upper()} {unquote(name)}"


def _zone_settings(text: str) -> list[tuple[str, str]]:
    found = re.findall(r"([\w.]+)\s*=\s*('(?:[^']|'')*'|\d+)\s*(?:,|$)", text)
    rebuilt = re.sub(r"\s+", "", ",".join(f"{key}={value}" for key, value in found))
    if rebuilt != re.sub(r"\s+", "", text.rstrip(", \n\t")):
        raise StandInError(f"ERROR: at or near the zone configuration: syntax error: {text[:100]}")
    unknown = [key for key, _ in found if key not in _ZONE_SETTINGS]
    if unknown:
        raise StandInError(f"ERROR: unsupported zone config parameter: {unknown[0]}")
    return found
