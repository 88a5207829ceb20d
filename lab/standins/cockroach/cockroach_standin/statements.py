"""Statements of CockroachDB that PostgreSQL does not have, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cockroach_standin import StandInError

NAME = r'(?:"(?:[^"]|"")+"|[a-zA-Z_][\w$]*)'
TABLE = rf"{NAME}(?:\.{NAME}){{0,2}}"
STRING = r"'(?:[^']|'')*'"
VALUE = rf"(?:{STRING}|[\w.+-]+)"

#: What may be handed to PostgreSQL: statements that both have, with the same meaning as far as they are used here.
PASSED = (
    "select", "with", "values", "table", "insert", "update", "delete", "truncate", "explain",
    "create table", "create index", "create unique index", "create schema", "create view", "create sequence",
    "create role", "create type", "alter table", "alter index", "alter role", "alter user", "alter schema",
    "alter sequence", "alter database", "drop table", "drop index", "drop schema", "drop view", "drop sequence",
    "drop role", "drop user", "drop database", "drop type", "grant", "revoke", "begin", "start transaction",
    "commit", "rollback", "savepoint", "release", "set time zone", "set application_name", "set statement_timeout",
    "show server_version", "show time zone", "show statement_timeout", "show transaction isolation level",
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """A statement of CockroachDB by the name of what it does, with its parts; `postgresql` for all others."""

    kind: str
    parts: dict[str, str]
    text: str


def _pattern(kind: str, pattern: str) -> tuple[str, re.Pattern[str]]:
    written = pattern.replace(" ", r"\s+")
    return kind, re.compile(rf"^\s*{written}\s*$", re.IGNORECASE | re.DOTALL)


_PATTERNS = [
    _pattern("create database", rf"CREATE DATABASE (?P<exists>IF NOT EXISTS )?(?P<database>{NAME})"),
    _pattern(
        "create user",
        rf"CREATE (?:USER|ROLE) (?P<exists>IF NOT EXISTS )?(?P<user>{NAME})(?P<options>(?: WITH)?(?: LOGIN| NOLOGIN)?)",
    ),
    _pattern("set primary region", rf"ALTER DATABASE (?P<database>{NAME}) SET PRIMARY REGION (?P<region>{NAME})"),
    _pattern("set primary region", rf"ALTER DATABASE (?P<database>{NAME}) PRIMARY REGION (?P<region>{NAME})"),
    _pattern(
        "add region", rf"ALTER DATABASE (?P<database>{NAME}) ADD REGION (?P<exists>IF NOT EXISTS )?(?P<region>{NAME})"
    ),
    _pattern(
        "drop region", rf"ALTER DATABASE (?P<database>{NAME}) DROP REGION (?P<exists>IF EXISTS )?(?P<region>{NAME})"
    ),
    _pattern("survive", rf"ALTER DATABASE (?P<database>{NAME}) SURVIVE (?P<goal>ZONE|REGION) FAILURE"),
    _pattern(
        "set locality",
        rf"ALTER TABLE (?P<table>{TABLE}) SET LOCALITY (?P<locality>GLOBAL|REGIONAL BY ROW|"
        rf"REGIONAL BY TABLE(?: IN (?:PRIMARY REGION|{NAME}))?)",
    ),
    _pattern(
        "create table with locality",
        rf"(?P<create>CREATE TABLE (?:IF NOT EXISTS )?(?P<table>{TABLE}) ?\(.*\)) LOCALITY "
        rf"(?P<locality>GLOBAL|REGIONAL BY ROW|REGIONAL BY TABLE(?: IN (?:PRIMARY REGION|{NAME}))?)",
    ),
    _pattern(
        "configure zone",
        rf"ALTER (?P<target>DATABASE {NAME}|RANGE {NAME}|TABLE {TABLE}) CONFIGURE ZONE USING (?P<settings>.+)",
    ),
    _pattern("show zone configuration", rf"SHOW ZONE CONFIGURATION FROM (?P<target>DATABASE {NAME}|RANGE {NAME})"),
    _pattern("set cluster setting", rf"SET CLUSTER SETTING (?P<setting>[\w.]+) (?:=|TO) (?P<value>{VALUE})"),
    _pattern("reset cluster setting", r"RESET CLUSTER SETTING (?P<setting>[\w.]+)"),
    _pattern("show cluster setting", r"SHOW CLUSTER SETTING (?P<setting>[\w.]+)"),
    _pattern(
        "select cluster settings",
        rf"SELECT variable, value FROM \[SHOW (?:ALL )?CLUSTER SETTINGS\](?: WHERE variable IN "
        rf"\((?P<settings>{STRING}(?:, ?{STRING})*)\))?(?: ORDER BY variable)?",
    ),
    _pattern("show regions", r"SHOW REGIONS FROM CLUSTER"),
    _pattern("show database regions", rf"SHOW REGIONS FROM DATABASE(?P<database> {NAME})?"),
    _pattern("show survival goal", rf"SHOW SURVIVAL GOAL FROM DATABASE(?P<database> {NAME})?"),
    _pattern("show databases", r"SHOW DATABASES"),
    _pattern("show users", r"SHOW (?:USERS|ROLES)"),
    _pattern("show tables", r"SHOW TABLES"),
]


def unquote(name: str) -> str:
    """Return the name that SQL text stands for: folded to lower case unless it is quoted."""
    name = name.strip()
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def quote(name: str) -> str:
    """Return a name as SQL text."""
    return '"' + name.replace('"', '""') + '"'


def unquote_string(value: str) -> str:
    """Return the string that a literal stands for."""
    return value[1:-1].replace("''", "'") if value.startswith("'") else value


def split(script: str) -> Iterator[str]:
    """Split a script at its semicolons, which strings, names and comments may hold as well."""
    token = re.compile(
        r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|;|[^;'"$/-]+|.""", re.DOTALL
    )
    current: list[str] = []
    for found in token.finditer(script):
        piece = found.group()
        if piece == ";":
            yield from _kept("".join(current))
            current = []
        elif not piece.startswith(("--", "/*")):
            current.append(piece)
    yield from _kept("".join(current))


def _kept(text: str) -> Iterator[str]:
    if text.strip():
        yield text.strip()


def parse(text: str) -> Statement:
    """Take a statement apart; StandInError when neither the stand-in nor PostgreSQL is meant to know it."""
    for kind, pattern in _PATTERNS:
        found = pattern.match(text)
        if found:
            return Statement(kind, {key: value for key, value in found.groupdict().items() if value}, text)
    words = re.sub(r"\s+", " ", text.lower())
    if "[show" in words or " locality " in f" {words} " or not any(_begins(words, known) for known in PASSED):
        raise StandInError(f"unimplemented: the stand-in does not know the statement: {text[:200]}")
    return Statement("postgresql", {}, text)


def _begins(words: str, known: str) -> bool:
    return words == known or words.startswith((known + " ", known + "(", known + "*"))
