"""The regions of the cluster and of its databases: the rules of CockroachDB's multi-region SQL."""

from __future__ import annotations

from typing import Any

from cockroach_standin import StandInError
from cockroach_standin.output import ResultSet


class Regions:
    """Reads and changes the catalogue over a connection to the database `system`."""

    def __init__(self, system: Any) -> None:
        self._system = system

    def of_cluster(self) -> dict[str, list[str]]:
        """Region -> zones, from the localities of the nodes that are part of the cluster."""
        found: dict[str, set[str]] = {}
        for (locality,) in self._system.execute("SELECT locality FROM standin.nodes WHERE NOT decommissioned"):
            tiers = dict(tier.split("=", 1) for tier in locality.split(","))
            if "region" in tiers:
                found.setdefault(tiers["region"], set()).update([tiers["zone"]] if "zone" in tiers else [])
        return {region: sorted(zones) for region, zones in sorted(found.items())}

    def of_database(self, database: str) -> tuple[str | None, list[str], str | None]:
        """(primary region, all regions sorted, survival goal); (None, [], None) without regions."""
        row = self._system.execute(
            "SELECT primary_region, survival_goal FROM standin.databases WHERE name = %s", (database,)
        ).fetchone()
        if row is None:
            return None, [], None
        rows = self._system.execute("SELECT region FROM standin.database_regions WHERE database = %s", (database,))
        return row[0], sorted(region for (region,) in rows), row[1]

    def set_primary(self, database: str, region: str) -> ResultSet:
        primary, regions, _ = self.of_database(database)
        self._check_exists(region)
        if primary is None:
            with self._system.transaction():
                self._system.execute(
                    "INSERT INTO standin.databases (name, primary_region) VALUES (%s, %s)", (database, region)
                )
                self._insert(database, region)
        elif region not in regions:
            raise StandInError(
                f'ERROR: region "{region}" has not been added to the database\nSQLSTATE: 42602\n'
                f"HINT: you must add the region to the database first, by running `ALTER DATABASE {database} ADD "
                f'REGION "{region}"`'
            )
        else:
            self._system.execute("UPDATE standin.databases SET primary_region = %s WHERE name = %s", (region, database))
        return ResultSet("ALTER DATABASE PRIMARY REGION")

    def add(self, database: str, region: str, if_not_exists: bool) -> ResultSet:
        primary, regions, _ = self.of_database(database)
        if primary is None:
            raise StandInError(
                f"ERROR: cannot add region {region} to database {database}\nSQLSTATE: 42P12\n"
                "DETAIL: you must add a PRIMARY REGION first using `ALTER DATABASE ... PRIMARY REGION`"
            )
        self._check_exists(region)
        if region in regions:
            if if_not_exists:
                return ResultSet("ALTER DATABASE ADD REGION")
            raise StandInError(f'ERROR: region "{region}" already added to database\nSQLSTATE: 42710')
        self._insert(database, region)
        return ResultSet("ALTER DATABASE ADD REGION")

    def drop(self, database: str, region: str, if_exists: bool) -> ResultSet:
        primary, regions, goal = self.of_database(database)
        if region not in regions:
            if if_exists:
                return ResultSet("ALTER DATABASE DROP REGION")
            raise StandInError(f'ERROR: region "{region}" has not been added to the database\nSQLSTATE: 42704')
        if region == primary:
            raise StandInError(f'ERROR: cannot drop region "{region}"\nDETAIL: it is the primary region')
        if goal == "region" and len(regions) <= 3:
            raise StandInError("ERROR: at least 3 regions are required for surviving a region failure")
        self._system.execute(
            "DELETE FROM standin.database_regions WHERE database = %s AND region = %s", (database, region)
        )
        return ResultSet("ALTER DATABASE DROP REGION")

    def survive(self, database: str, goal: str) -> ResultSet:
        primary, regions, _ = self.of_database(database)
        if primary is None:
            raise StandInError(
                "ERROR: database must have associated regions before a survival goal can be set\nSQLSTATE: 42P12"
            )
        if goal == "region" and len(regions) < 3:
            raise StandInError(
                "ERROR: at least 3 regions are required for surviving a region failure\nSQLSTATE: 42P12\n"
                "HINT: you must add additional regions to the database using ALTER DATABASE ... ADD REGION"
            )
        self._system.execute("UPDATE standin.databases SET survival_goal = %s WHERE name = %s", (goal, database))
        return ResultSet("ALTER DATABASE SURVIVE")

    def _check_exists(self, region: str) -> None:
        known = self.of_cluster()
        if region not in known:
            raise StandInError(
                f'ERROR: region "{region}" does not exist\nSQLSTATE: 42704\nHINT: valid regions: {", ".join(known)}'
            )

    def _insert(self, database: str, region: str) -> None:
        self._system.execute(
            "INSERT INTO standin.database_regions (database, region) VALUES (%s, %s)", (database, region)
        )
