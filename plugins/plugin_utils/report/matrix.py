# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of the links as a heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from .colours import css, shade, text_on
from .wording import milliseconds, percent

# With more machines than this the matrix shows regions.
MOST_MACHINES = 12


def matrix(survey: Mapping[str, Any]) -> dict[str, Any]:
    """Give names and rows of cells; each cell has its text, its colours and a sentence that tells all of the link.

    A cell of a machine with itself is None.
    """
    hosts: Mapping[str, Mapping[str, Any]] = survey["hosts"]
    by_region = len(hosts) > MOST_MACHINES
    place = {name: str(host.get("region")) if by_region else name for name, host in hosts.items()}
    names = sorted(set(place.values()), key=lambda name: _order(name, hosts))
    links: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for link in survey["links"]:
        ends = place[link["from"]], place[link["to"]]
        if ends[0] != ends[1]:
            links.setdefault(ends, []).append(link)
    largest = max((link["rtt_ms"]["median"] for found in links.values() for link in found), default=1.0)
    return {
        "kind": "region" if by_region else "machine",
        "names": [{"name": name, "region": _region(name, hosts)} for name in names],
        "rows": [[_cell(links.get((one, other)), one, other, largest) for other in names] for one in names],
        "legend": [{"ms": milliseconds(largest * step / 5), "colour": css(shade(step / 5))} for step in range(6)],
    }


def _order(name: str, hosts: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    return _region(name, hosts), name


def _region(name: str, hosts: Mapping[str, Mapping[str, Any]]) -> str:
    return str(hosts[name].get("region")) if name in hosts else name


def _cell(found: Sequence[Mapping[str, Any]] | None, one: str, other: str, largest: float) -> dict[str, str] | None:
    if one == other or not found:
        return None
    rtt = median(link["rtt_ms"]["median"] for link in found)
    background = shade(rtt / largest)
    loss = sum(link["loss"] for link in found) / len(found)
    mtu = min(link["path_mtu"] for link in found)
    low, high = min(link["rtt_ms"]["min"] for link in found), max(link["rtt_ms"]["p95"] for link in found)
    return {
        "text": milliseconds(rtt),
        "note": f"{percent(loss)} lost" if loss else "",
        "background": css(background),
        "colour": css(text_on(background)),
        "title": (
            f"{one} to {other}: median {milliseconds(rtt)} ms (least {milliseconds(low)}, 95% within "
            f"{milliseconds(high)}), {percent(loss)} lost, path MTU {mtu} bytes"
        ),
    }
