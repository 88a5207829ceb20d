"""`cockroach node status` and `cockroach node decommission`."""

from __future__ import annotations

from collections.abc import Sequence

from cockroach_standin import TAG, StandInError
from cockroach_standin.catalogue import NODES
from cockroach_standin.certificates import CertificatesDirectory
from cockroach_standin.heartbeat import NodeRow
from cockroach_standin.output import ResultSet
from cockroach_standin.shell import connect

_COLUMNS = ("id", "address", "sql_address", "build", "started_at", "updated_at", "locality", "attrs")
_RANGES = ("replicas_leaders", "replicas_leaseholders", "ranges", "ranges_unavailable", "ranges_underreplicated")


def status(host: str, certificates: CertificatesDirectory, *, ranges: bool, with_decommission: bool) -> ResultSet:
    """The nodes that are part of the cluster; the one range that all data counts as is led by the primary."""
    with connect(host, certificates, "root", "system") as connection:
        rows = [NodeRow(*row) for row in connection.execute(NODES)]
    shown = []
    for node in rows:
        if node.decommissioned and not with_decommission:
            continue
        facts = (node.id, node.address, node.address, TAG, node.started_at, node.updated_at, node.locality, "")
        live = "true" if node.live else "false"
        led = (1, 1, 1, 0, 0) if node.id == rows[0].id else (0, 0, 0, 0, 0)
        shown.append((*facts, live, live, *(led if ranges else ())))
    return ResultSet("SELECT", (*_COLUMNS, "is_available", "is_live", *(_RANGES if ranges else ())), shown)


def decommission(host: str, certificates: CertificatesDirectory, ids: Sequence[int]) -> ResultSet:
    """Take nodes out of the cluster. The one with the data cannot go: there is no second copy."""
    if not ids:
        raise StandInError("ERROR: no node ID specified")
    with connect(host, certificates, "root", "system") as connection:
        rows = {row[0]: NodeRow(*row) for row in connection.execute(NODES)}
        for number in ids:
            if number not in rows:
                raise StandInError(f"ERROR: node {number} not found")
            if number == min(rows):
                raise StandInError(f"ERROR: node {number} holds the only copy of the data: the stand-in cannot move it")
        connection.execute("UPDATE standin.nodes SET decommissioned = true WHERE id = ANY (%s)", (list(ids),))
    columns = ("id", "is_live", "replicas", "is_decommissioning", "membership", "is_draining")
    shown = [(n, "true" if rows[n].live else "false", 0, "true", "decommissioned", "false") for n in ids]
    return ResultSet("SELECT", columns, shown)
