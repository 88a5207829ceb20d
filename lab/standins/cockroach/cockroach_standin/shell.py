"""`cockroach sql`: runs statements as root over TLS, the node's own kind and PostgreSQL's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import errors

from cockroach_standin import SQL_PORT, StandInError
from cockroach_standin.certificates import CertificatesDirectory
from cockroach_standin.output import ResultSet
from cockroach_standin.regions import Regions
from cockroach_standin.settings import Settings
from cockroach_standin.statements import Statement, parse, quote, split, unquote, unquote_string


def connect(host: str, certificates: CertificatesDirectory, user: str, database: str) -> Any:
    """Open a connection through a node; StandInError says why it cannot be had."""
    name, _, port = host.partition(":")
    try:
        return psycopg.connect(
            host=name,
            port=int(port or SQL_PORT),
            dbname=database,
            connect_timeout=10,
            application_name="cockroach sql (stand-in)",
            autocommit=True,
            **certificates.connection_parameters(user),  # type: ignore[arg-type]
        )
    except psycopg.Error as error:
        raise StandInError(f'ERROR: cannot dial server.\n{str(error).strip()}\nFailed running "sql"') from error


class Shell:
    """One session."""

    def __init__(self, host: str, certificates: CertificatesDirectory, user: str, database: str) -> None:
        self.database = database
        self._session = connect(host, certificates, user, database)
        self._system = connect(host, certificates, user, "system") if database != "system" else self._session
        self._regions = Regions(self._system)
        self._settings = Settings(self._system)

    def run(self, scripts: Sequence[str]) -> Iterator[ResultSet]:
        """Run the scripts' statements one after the other; the first failure ends it."""
        for script in scripts:
            for text in split(script):
                try:
                    yield self._run(parse(text))
                except psycopg.Error as error:
                    state = f"\nSQLSTATE: {error.sqlstate}" if error.sqlstate else ""
                    raise StandInError(f"ERROR: {str(error).strip()}{state}") from error

    def _run(self, statement: Statement) -> ResultSet:
        parts = statement.parts
        database = unquote(parts["database"]) if "database" in parts else self.database
        region = unquote(parts["region"]) if "region" in parts else ""
        match statement.kind:
            case "postgresql":
                return self._postgresql(statement.text)
            case "create database":
                return self._unless_there(
                    f"CREATE DATABASE {quote(database)}", "exists" in parts, errors.DuplicateDatabase
                )
            case "create user":
                options = parts.get("options", "").upper()
                login = "NOLOGIN" if "NOLOGIN" in options else "LOGIN"
                command = f"CREATE ROLE {quote(unquote(parts['user']))} {login}"
                return self._unless_there(command, "exists" in parts, errors.DuplicateObject)
            case "set primary region":
                self._need_database(database)
                return self._regions.set_primary(database, region)
            case "add region":
                self._need_database(database)
                return self._regions.add(database, region, "exists" in parts)
            case "drop region":
                return self._regions.drop(database, region, "exists" in parts)
            case "survive":
                self._need_database(database)
                return self._regions.survive(database, parts["goal"].lower())
            case "set locality":
                return self._set_locality(parts["table"], parts["locality"])
            case "create table with locality":
                self._postgresql(parts["create"])
                self._set_locality(parts["table"], parts["locality"])
                return ResultSet("CREATE TABLE")
            case "configure zone":
                return self._settings.configure_zone(parts["target"], parts["settings"])
            case "show zone configuration":
                return self._settings.show_zone(parts["target"])
            case "set cluster setting":
                return self._settings.set(parts["setting"].lower(), parts["value"])
            case "reset cluster setting":
                return self._settings.reset(parts["setting"].lower())
            case "show cluster setting":
                return self._settings.show_one(parts["setting"].lower())
            case "select cluster settings":
                names = re.findall(r"'(?:[^']|'')*'", parts["settings"]) if "settings" in parts else None
                return self._settings.show(None if names is None else [unquote_string(name) for name in names])
        return self._show(statement.kind, database)

    def _show(self, kind: str, database: str) -> ResultSet:
        match kind:
            case "show regions":
                rows = list(self._regions.of_cluster().items())
                return ResultSet("SHOW REGIONS", ("region", "zones"), rows)
            case "show database regions":
                self._need_database(database)
                zones = self._regions.of_cluster()
                primary, regions, _ = self._regions.of_database(database)
                shown = [(database, region, region == primary, zones.get(region, [])) for region in regions]
                return ResultSet("SHOW REGIONS", ("database", "region", "primary", "zones"), shown)
            case "show survival goal":
                self._need_database(database)
                _, _, goal = self._regions.of_database(database)
                return ResultSet("SHOW SURVIVAL GOAL", ("database", "survival_goal"), [(database, goal)])
            case "show databases":
                return self._databases()
            case "show users":
                rows = self._system.execute(
                    "SELECT rolname, CASE WHEN rolcanlogin THEN '' ELSE 'NOLOGIN' END FROM pg_roles "
                    "WHERE rolname !~ '^pg_' AND rolname <> 'node' ORDER BY 1"
                )
                return ResultSet("SHOW USERS", ("username", "options", "member_of"), [(*row, []) for row in rows])
            case _:
                return self._tables()

    def _databases(self) -> ResultSet:
        rows = self._system.execute(
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE NOT datistemplate ORDER BY 1"
        ).fetchall()
        shown = []
        for name, owner in rows:
            primary, regions, goal = self._regions.of_database(name)
            shown.append((name, owner, primary, None, regions, goal))
        columns = ("database_name", "owner", "primary_region", "secondary_region", "regions", "survival_goal")
        return ResultSet("SHOW DATABASES", columns, shown)

    def _tables(self) -> ResultSet:
        rows = self._session.execute(
            "SELECT schemaname, tablename, tableowner FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'standin') ORDER BY 1, 2"
        ).fetchall()
        kept = dict(
            self._system.execute(
                "SELECT name, locality FROM standin.table_localities WHERE database = %s", (self.database,)
            ).fetchall()
        )
        shown = [(schema, name, "table", owner, kept.get(name)) for schema, name, owner in rows]
        return ResultSet("SHOW TABLES", ("schema_name", "table_name", "type", "owner", "locality"), shown)

    def _set_locality(self, table: str, locality: str) -> ResultSet:
        primary, _, _ = self._regions.of_database(self.database)
        if primary is None:
            raise StandInError(
                f"ERROR: cannot alter a table's LOCALITY if its database is not multi-region enabled: {self.database}"
            )
        name = unquote(table.split(".")[-1])
        if not self._session.execute("SELECT to_regclass(%s)", (quote(name),)).fetchone()[0]:
            raise StandInError(f'ERROR: relation "{name}" does not exist\nSQLSTATE: 42P01')
        self._system.execute(
            "INSERT INTO standin.table_localities VALUES (%s, %s, %s) "
            "ON CONFLICT (database, name) DO UPDATE SET locality = excluded.locality",
            (self.database, name, re.sub(r"\s+", " ", locality).upper()),
        )
        return ResultSet("ALTER TABLE")

    def _need_database(self, name: str) -> None:
        if not self._system.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            raise StandInError(f'ERROR: database "{name}" does not exist\nSQLSTATE: 3D000')

    def _unless_there(self, command: str, quietly: bool, duplicate: type[psycopg.Error]) -> ResultSet:
        try:
            self._session.execute(command)
        except duplicate:
            if not quietly:
                raise
        return ResultSet(" ".join(command.split()[:2]))

    def _postgresql(self, text: str) -> ResultSet:
        cursor = self._session.execute(text)
        if cursor.description is None:
            return ResultSet(cursor.statusmessage or "OK")
        return ResultSet("SELECT", [column.name for column in cursor.description], cursor.fetchall())
