# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CockroachDB's home and its settings that depend on the distance between regions.

Sources: CockroachDB's multi-region guide (max-offset 250 ms; a node stops itself at 80% of it; surviving a region
takes three) and its closed-timestamp code (the lead of GLOBAL tables, built on an RTT of 150 ms unless overridden).
"""

from __future__ import annotations

from collections.abc import Sequence

from .links import LinkTable
from .model import DATABASE, Machine, PlanError, Value, Wishes
from .timers import round_up

MAX_OFFSET = 250
# Two clocks may differ by both errors; a node stops itself at 80% of the largest offset.
CLOCK_ERROR_LIMIT = 0.8 * MAX_OFFSET / 2
# The transport's slack in the lead of GLOBAL tables (ms).
LEAD_SLACK = 25


def lead_for_global_reads(rtt: float, max_offset: float = MAX_OFFSET) -> int:
    """Give the lead (ms) by which GLOBAL tables close timestamps, for the largest RTT between regions (ms)."""
    return round_up(max(1.5 * rtt + 20, 0.5 * rtt + 200) + max_offset + LEAD_SLACK, 5)


def database(machines: Sequence[Machine], table: LinkTable, wishes: Wishes) -> tuple[dict[str, Value], list[str]]:
    """Give CockroachDB's values and the warnings about its place and its clocks.

    Raises PlanError when the wished primary region has no machine for the database.
    """
    labelled = [machine for machine in machines if DATABASE in machine.roles]
    hosts = labelled or ([] if any(machine.roles for machine in machines) else list(machines))
    if not hosts:
        return {}, ["no machine carries the role label database: the plan has no values for CockroachDB"]
    regions = sorted({machine.region for machine in hosts})
    primary, why = _primary(regions, table, wishes)
    survives = len(regions) >= 3
    nearest = min(
        (region for region in regions if region != primary),
        key=lambda region: (table.between_regions(primary, region), region),
        default=None,
    )
    write = table.within_region(primary)
    write_why = f"a majority lives in {primary}: one RTT between its machines"
    if survives and nearest is not None:
        write = table.between_regions(primary, nearest)
        write_why = (
            f"a write in {primary} waits for one vote from outside, the nearest is {nearest} at {write:g} ms; "
            f"one that starts elsewhere adds the RTT to {primary}"
        )
    worst = max((table.between_regions(a, b) for a in regions for b in regions), default=0.0)
    lead = lead_for_global_reads(worst)
    values = {
        "cockroachdb_primary_region": Value(primary, "", why, "cockroachdb"),
        "cockroachdb_survival_goal": Value(
            "region" if survives else "zone",
            "",
            f"{len(regions)} regions hold the database; "
            + ("from three on it can lose a whole one" if survives else "losing a whole one takes three"),
            "cockroachdb",
        ),
        "cockroachdb_max_offset": Value(
            f"{MAX_OFFSET}ms",
            "duration",
            f"CockroachDB's advice for several regions; each clock must stay within {CLOCK_ERROR_LIMIT:g} ms, "
            + _clocks(hosts),
            "cockroachdb",
        ),
        "cockroachdb_lead_for_global_reads": Value(
            f"{lead}ms",
            "duration",
            f"max(1.5 RTT + 20, 0.5 RTT + 200) + max_offset {MAX_OFFSET} + {LEAD_SLACK} ms with the largest RTT "
            f"between its regions, {worst:g} ms (the built-in guess is 150 ms)",
            "cockroachdb",
        ),
        "write_latency_p50": Value(write, "ms", write_why, "report"),
    }
    bad = [one for one in hosts if one.clock_error is not None and one.clock_error > CLOCK_ERROR_LIMIT]
    warnings = [
        f"the clock of {one.name} may be wrong by {one.clock_error:g} ms, over the {CLOCK_ERROR_LIMIT:g} ms that "
        "CockroachDB bears: mend its time synchronisation before the database starts"
        for one in bad
    ]
    return values, warnings


def _primary(regions: Sequence[str], table: LinkTable, wishes: Wishes) -> tuple[str, str]:
    totals = {region: sum(table.between_regions(region, other) for other in regions) for region in regions}
    ranking = sorted(regions, key=lambda region: (totals[region], region))
    best = ranking[0]
    wished = wishes.cockroachdb_primary_region
    if wished is not None:
        if wished not in regions:
            raise PlanError(
                f"cockroachdb_primary_region is {wished!r}, where no machine holds the database; "
                f"regions that do: {', '.join(regions)}"
            )
        chosen, reason = wished, "cockroachdb_primary_region says so"
    elif wishes.basis.cockroachdb_primary_region in set(regions) - {best}:
        chosen = str(wishes.basis.cockroachdb_primary_region)
        reason = "the earlier plan put it there, and data does not move by itself; compare the RTT"
    else:
        chosen, reason = best, "lowest total RTT"
    others = ", ".join(f"{region} {totals[region]:g}" for region in ranking)
    return chosen, f"{reason} to the other database regions (ms in total: {others})"


def _clocks(hosts: Sequence[Machine]) -> str:
    known = [one.clock_error for one in hosts if one.clock_error is not None]
    good = sum(error <= CLOCK_ERROR_LIMIT for error in known)
    return f"{good} of {len(hosts)} measured so" if known else "none was measured"
