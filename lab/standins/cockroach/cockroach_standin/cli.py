"""The command line: the commands and flags that the role and the users of its database need; others are refused."""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cockroach_standin import HTTP_PORT, NOTICE, SQL_PORT, TAG, StandInError
from cockroach_standin.certificates import CertificatesDirectory
from cockroach_standin.output import FORMATS, ResultSet, render


class Parser(argparse.ArgumentParser):
    """Refuses as the real command does, and says that it is not the real one."""

    def error(self, message: str) -> NoReturn:
        raise StandInError(f"ERROR: {message} ({NOTICE})")


def _parser() -> Parser:
    parser = Parser(prog="cockroach", description=NOTICE, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    commands.add_parser("version", allow_abbrev=False).add_argument("--build-tag", action="store_true")
    start = commands.add_parser("start", allow_abbrev=False)
    start.add_argument("--certs-dir", type=Path, required=True)
    start.add_argument("--join", required=True)
    start.add_argument("--locality", required=True)
    start.add_argument("--advertise-host", "--advertise-addr", required=True)
    start.add_argument("--store", "-s", default="cockroach-data")
    start.add_argument("--listen-addr", default=f":{SQL_PORT}")
    start.add_argument("--http-addr", default=f":{HTTP_PORT}")
    start.add_argument("--max-offset", default="500ms")
    start.add_argument("--cache", default="256MiB")
    start.add_argument("--max-sql-memory", default="256MiB")
    start.add_argument("--logtostderr", nargs="?", const="INFO", default="WARNING")
    for name in ("init", "sql", "node"):
        client = commands.add_parser(name, allow_abbrev=False)
        if name == "node":
            client.add_argument("action", choices=["status", "decommission"])
            client.add_argument("ids", nargs="*", type=int)
            client.add_argument("--ranges", action="store_true")
            client.add_argument("--decommission", action="store_true")
            client.add_argument("--wait", choices=["all", "none"], default="all")
        client.add_argument("--certs-dir", type=Path, required=True)
        client.add_argument("--host", default="localhost")
        if name != "init":
            client.add_argument("--format", choices=FORMATS, default="tsv")
        if name == "sql":
            client.add_argument("--execute", "-e", action="append", default=[])
            client.add_argument("--file", "-f", action="append", type=Path, default=[])
            client.add_argument("--user", "-u", default="root")
            client.add_argument("--database", "-d", default="defaultdb")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    try:
        options = _parser().parse_args(arguments)
        match options.command:
            case "version":
                print(TAG if options.build_tag else f"Build Tag:        {TAG}\nStand-in:         {NOTICE}")
                return 0
            case "start":
                return _start(options)
            case "init":
                return _init(options)
            case "sql":
                return _sql(options)
        return _node(options)
    except (StandInError, PermissionError, ssl.SSLError) as error:
        print(error if isinstance(error, StandInError) else f"ERROR: {error}", file=sys.stderr)
        return 1


def check_locality(text: str) -> str:
    """Return the locality; StandInError when a tier is not key=value, as an unset variable leaves it."""
    for tier in text.split(","):
        if not re.fullmatch(r"[\w-]+=[\w.-]+", tier):
            raise StandInError(
                f'ERROR: invalid argument "{text}" for "--locality" flag: tier must be in the form "key=value" '
                f'not "{tier}"'
            )
    return text


def _start(options: argparse.Namespace) -> int:
    from cockroach_standin.node import Node

    logging.basicConfig(level=logging.WARNING, format="%(levelname).1s %(asctime)s %(message)s", stream=sys.stderr)
    for name, wanted in (("listen_addr", SQL_PORT), ("http_addr", HTTP_PORT)):
        if not str(getattr(options, name)).endswith(f":{wanted}"):
            raise StandInError(f"ERROR: the stand-in only listens on port {wanted} (--{name.replace('_', '-')})")
    if not re.fullmatch(r"\d+(\.\d+)?(ms|s)", options.max_offset):
        raise StandInError(f'ERROR: invalid argument "{options.max_offset}" for "--max-offset" flag')
    node = Node(
        store=Path(options.store.removeprefix("path=")),
        certificates=CertificatesDirectory(options.certs_dir),
        advertise=options.advertise_host.partition(":")[0],
        locality=check_locality(options.locality),
        sql_host=options.listen_addr.rpartition(":")[0] or None,
        http_host=options.http_addr.rpartition(":")[0] or None,
        join=[host for host in options.join.split(",") if host],
    )
    return asyncio.run(node.run())


def _init(options: argparse.Namespace) -> int:
    import json

    from cockroach_standin.web import ask

    context = CertificatesDirectory(options.certs_dir).client_context("client.root")
    host = options.host.partition(":")[0]
    try:
        status, body = asyncio.run(ask(host, "POST", "/standin/init", context, HTTP_PORT, seconds=30))
    except (OSError, TimeoutError) as error:
        raise StandInError(f"ERROR: cannot dial server {host}:{HTTP_PORT}: {error or 'timed out'}") from error
    if status != 200:
        raise StandInError(f"ERROR: {json.loads(body).get('error', body)}")
    print("Cluster successfully initialized")
    return 0


def _sql(options: argparse.Namespace) -> int:
    from cockroach_standin.shell import Shell

    scripts = [*options.execute, *(path.read_text() for path in options.file)]
    if not scripts:
        raise StandInError("ERROR: the stand-in has no interactive shell: use --execute or --file")
    shell = Shell(options.host, CertificatesDirectory(options.certs_dir), options.user, options.database)
    for result in shell.run(scripts):
        sys.stdout.write(render(result, options.format))
        sys.stdout.flush()
    return 0


def _node(options: argparse.Namespace) -> int:
    from cockroach_standin.members import decommission, status

    certificates = CertificatesDirectory(options.certs_dir)
    result: ResultSet
    if options.action == "status":
        result = status(options.host, certificates, ranges=options.ranges, with_decommission=options.decommission)
    else:
        result = decommission(options.host, certificates, options.ids)
    sys.stdout.write(render(result, options.format))
    return 0


if __name__ == "__main__":
    sys.exit(main())
