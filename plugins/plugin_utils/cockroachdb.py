# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a CockroachDB cluster says of itself and what is wanted to the SQL in between."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SURVIVAL_GOALS = ("zone", "region")
#: CockroachDB lets a database survive a region only when it has this many.
REGIONS_TO_SURVIVE_ONE = 3

#: The statements whose output L(read_state) understands, in one run of C(cockroach sql --format=csv).
STATE_QUERIES = (
    "SHOW DATABASES",
    "SHOW USERS",
    "SHOW REGIONS FROM CLUSTER",
    "SHOW ZONE CONFIGURATION FROM DATABASE system",
)

_UNITS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


class CockroachDBError(ValueError):
    """Something wanted cannot be had; the text names it and says what to do."""


@dataclass(frozen=True)
class Database:
    """A database as SHOW DATABASES gives it; without regions primary_region and survival_goal are empty."""

    owner: str
    primary_region: str
    regions: tuple[str, ...]
    survival_goal: str


@dataclass(frozen=True)
class State:
    """What the cluster has."""

    databases: Mapping[str, Database]
    users: frozenset[str]
    regions: frozenset[str]
    settings: Mapping[str, str]
    system_zone: str


@dataclass(frozen=True)
class Wish:
    """What the cluster should have.

    databases: name to owner. regions: of every database, the primary one included. settings: cluster settings by
    name; durations such as C(835ms) compare by their length.
    """

    primary_region: str
    regions: tuple[str, ...]
    survival_goal: str
    databases: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)


def state_queries(settings: Sequence[str]) -> list[str]:
    """Give the statements whose output describes the state, one --execute each."""
    names = ", ".join(quote_string(name) for name in sorted(settings))
    query = f"SELECT variable, value FROM [SHOW CLUSTER SETTINGS] WHERE variable IN ({names})"
    return [*STATE_QUERIES, *([query] if settings else [])]


def read_state(output: str) -> State:
    """Read the output of the state queries as --format=csv prints it: result sets one after the other.

    Raises CockroachDBError when a result set is missing, as after a connection that was cut.
    """
    sets = _result_sets(output)
    for column in ("database_name", "username", "region", "target"):
        if column not in sets:
            raise CockroachDBError(f"the database's answer has no column {column!r}: it was cut short; run again")
    databases = {
        row["database_name"]: Database(
            owner=_value(row["owner"]),
            primary_region=_value(row["primary_region"]),
            regions=_array(row["regions"]),
            survival_goal=_value(row["survival_goal"]),
        )
        for row in sets["database_name"]
    }
    return State(
        databases=databases,
        users=frozenset(row["username"] for row in sets["username"]),
        regions=frozenset(row["region"] for row in sets["region"]),
        settings={row["variable"]: row["value"] for row in sets.get("variable", [])},
        system_zone=sets["target"][0]["raw_config_sql"] if sets["target"] else "",
    )


def plan_statements(state: State, wish: Wish) -> list[str]:
    """Give the statements that lead from the state to the wish, each to be run by itself; none when they agree.

    Regions that a database has beyond the wish are left alone: dropping one moves all of its data.
    """
    _check(state, wish)
    statements = [
        _setting_statement(name, value)
        for name, value in sorted(wish.settings.items())
        if not _same(state.settings.get(name, ""), value)
    ]
    owners = sorted(set(wish.databases.values()) - state.users - {"root"})
    statements += [f"CREATE USER IF NOT EXISTS {quote_name(owner)}" for owner in owners]
    for name, owner in sorted(wish.databases.items()):
        statements += _database_statements(name, owner, state.databases.get(name), wish)
    preference = f"[[+region={wish.primary_region}]]"
    if f"lease_preferences = '{preference}'" not in state.system_zone:
        statements.append(f"ALTER DATABASE system CONFIGURE ZONE USING lease_preferences = '{preference}'")
    return statements


def _check(state: State, wish: Wish) -> None:
    if wish.survival_goal not in SURVIVAL_GOALS:
        raise CockroachDBError(f"survival goal {wish.survival_goal!r}: it must be one of {', '.join(SURVIVAL_GOALS)}")
    if wish.primary_region not in wish.regions:
        raise CockroachDBError(
            f"primary region {wish.primary_region!r} is none of the database's regions {', '.join(wish.regions)}"
        )
    if wish.survival_goal == "region" and len(wish.regions) < REGIONS_TO_SURVIVE_ONE:
        raise CockroachDBError(
            f"{len(wish.regions)} regions cannot survive the loss of one: use survival goal 'zone', or at least "
            f"{REGIONS_TO_SURVIVE_ONE} regions"
        )
    missing = sorted(set(wish.regions) - state.regions)
    if missing:
        raise CockroachDBError(
            f"no node of the database runs in {', '.join(missing)}; it has nodes in "
            f"{', '.join(sorted(state.regions)) or 'no region'}. Check the pods of those regions"
        )


def _database_statements(name: str, owner: str, database: Database | None, wish: Wish) -> list[str]:
    quoted = quote_name(name)
    statements = []
    if database is None:
        statements.append(f"CREATE DATABASE IF NOT EXISTS {quoted}")
        database = Database("", "", (), "")
    if database.owner != owner:
        statements.append(f"ALTER DATABASE {quoted} OWNER TO {quote_name(owner)}")
    primary = f"ALTER DATABASE {quoted} SET PRIMARY REGION {quote_name(wish.primary_region)}"
    held = set(database.regions)
    if not database.primary_region:
        statements.append(primary)
        held.add(wish.primary_region)
    missing = [region for region in wish.regions if region not in held]
    statements += [f"ALTER DATABASE {quoted} ADD REGION {quote_name(region)}" for region in missing]
    if database.primary_region and database.primary_region != wish.primary_region:
        statements.append(primary)
    if (database.survival_goal or "zone") != wish.survival_goal:
        statements.append(f"ALTER DATABASE {quoted} SURVIVE {wish.survival_goal.upper()} FAILURE")
    return statements


def _setting_statement(name: str, value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", name):
        raise CockroachDBError(f"{name!r} is not the name of a cluster setting")
    return f"SET CLUSTER SETTING {name} = {quote_string(value)}"


def quote_name(name: str) -> str:
    """Give a name as SQL text."""
    return '"' + name.replace('"', '""') + '"'


def quote_string(text: str) -> str:
    """Give a string as SQL text."""
    return "'" + text.replace("'", "''") + "'"


def _result_sets(output: str) -> dict[str, list[dict[str, str]]]:
    """Give the rows of each result set by the name of its first column."""
    firsts = {"database_name", "username", "region", "target", "variable"}
    sets: dict[str, list[dict[str, str]]] = {}
    header: list[str] = []
    for row in csv.reader(io.StringIO(output)):
        if row and row[0] in firsts and row[0] not in sets:
            header = row
            sets[row[0]] = []
        elif header and len(row) == len(header):
            sets[header[0]].append(dict(zip(header, row, strict=True)))
    return sets


def _value(text: str) -> str:
    return "" if text == "NULL" else text


def _array(text: str) -> tuple[str, ...]:
    return tuple(part.strip('"') for part in text.strip("{}").split(",") if part) if text.startswith("{") else ()


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    lengths = _milliseconds(one), _milliseconds(other)
    return lengths[0] is not None and lengths[0] == lengths[1]


def _milliseconds(text: str) -> float | None:
    """Give the length of 835ms, 5m0s or 00:00:00.835; None for what is no duration."""
    clock = re.fullmatch(r"(\d+):(\d{2}):(\d{2}(?:\.\d+)?)", text)
    if clock:
        hours, minutes, seconds = clock.groups()
        return round(int(hours) * 3.6e6 + int(minutes) * 6e4 + float(seconds) * 1e3, 6)
    if text and _DURATION.sub("", text) == "":
        return round(sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text)), 6)
    return None


def unready_sets(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the names of the StatefulSets (as the Kubernetes API gives them) that have fewer ready pods than wanted."""
    return sorted(
        item["metadata"]["name"]
        for item in sets
        if item.get("status", {}).get("readyReplicas", 0) < item["spec"]["replicas"]
    )


def sets_need_restart(sets: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some StatefulSet says that not all of its pods run its newest revision."""
    return any(
        item.get("status", {}).get("updatedReplicas", 0) < item["spec"]["replicas"]
        or item.get("status", {}).get("observedGeneration") != item["metadata"].get("generation")
        for item in sets
    )


def outdated_pods(pods: Sequence[Mapping[str, Any]], sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the names of the pods whose StatefulSet has another revision by now, region by region."""
    revisions = {item["metadata"]["name"]: item.get("status", {}).get("updateRevision") for item in sets}
    outdated = []
    for pod in pods:
        name = pod["metadata"]["name"]
        wanted = revisions.get(name.rpartition("-")[0])
        if wanted and pod["metadata"].get("labels", {}).get("controller-revision-hash") != wanted:
            outdated.append(name)
    return sorted(outdated)


def database_is_whole(status: str) -> bool:
    """Whether every node is live and no range lacks a replica, in what C(node status --ranges --format=csv) prints."""
    rows = list(csv.DictReader(io.StringIO(status)))
    return bool(rows) and all(
        row.get("is_live") == "true"
        and row.get("ranges_unavailable") == "0"
        and row.get("ranges_underreplicated") == "0"
        for row in rows
    )
