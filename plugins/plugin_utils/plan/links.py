# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured links as one table: a pair of machines has one RTT, noise does not move it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import fmean, median

from .model import Link, Machine, PlanError

Pair = tuple[str, str]

# A new measurement within this share of the earlier one (and this many ms) is taken for noise.
NOISE_SHARE = 0.05
NOISE_MILLISECONDS = 2.0


def pair(one: str, other: str) -> Pair:
    """Give the two names in alphabetical order."""
    return (one, other) if one <= other else (other, one)


def step_of(rtt: float) -> float:
    """Give how finely an RTT over the internet can be told (ms): 5 ms, 1 ms below 20, 0.1 below 2."""
    return 5.0 if rtt >= 20 else 1.0 if rtt >= 2 else 0.1


def rounded(rtt: float) -> float:
    """Round an RTT to what a measurement can hold, at least one step (all ms)."""
    step = step_of(rtt)
    return round(max(step, round(rtt / step) * step), 3)


def steady(rtt: float, earlier: float | None) -> float:
    """Give the earlier RTT while the new one differs by noise only, else the new one, rounded (all ms)."""
    if earlier is not None:
        noise = max(NOISE_MILLISECONDS, NOISE_SHARE * earlier) + step_of(rtt) / 2
        if abs(rtt - earlier) <= noise:
            return earlier
    return rounded(rtt)


class LinkTable:
    """RTT, loss and path MTU between machines and between regions.

    Raises PlanError when a direction between two machines is missing, doubled, lossy to the last packet or absurd.
    """

    def __init__(self, machines: Sequence[Machine], links: Iterable[Link], earlier: Mapping[Pair, float]) -> None:
        names = {machine.name for machine in machines}
        self._directions: dict[Pair, Link] = {}
        for link in links:
            if link.source in names and link.target in names:
                self._take(link)
        missing = [
            f"{one.name} -> {other.name}"
            for one in machines
            for other in machines
            if one.name != other.name and (one.name, other.name) not in self._directions
        ]
        if missing:
            raise PlanError(
                f"the survey lacks {len(missing)} link(s): {', '.join(missing[:6])}"
                f"{', ...' if len(missing) > 6 else ''}; measure again with survey_refresh=true"
            )
        self.rtt: dict[Pair, float] = {}
        for one, other in combinations(sorted(names), 2):
            both = fmean((self._directions[one, other].rtt, self._directions[other, one].rtt))
            self.rtt[one, other] = steady(both, earlier.get((one, other)))
        self._members: dict[str, list[str]] = {}
        for machine in machines:
            self._members.setdefault(machine.region, []).append(machine.name)
        self.regions: tuple[str, ...] = tuple(sorted(self._members))

    def _take(self, link: Link) -> None:
        where = f"link {link.source} -> {link.target}"
        if link.source == link.target:
            raise PlanError(f"{where}: a machine has no link to itself; the survey is damaged, use survey_refresh=true")
        if (link.source, link.target) in self._directions:
            raise PlanError(f"{where} is in the survey twice; it is damaged, use survey_refresh=true")
        if not 0 <= link.loss < 1:
            raise PlanError(f"{where} lost {link.loss:.0%} of its packets; mend the link, then survey_refresh=true")
        if not 0 < link.rtt <= 10_000:
            raise PlanError(f"{where} has an RTT of {link.rtt} ms, outside 0 to 10000; use survey_refresh=true")
        self._directions[link.source, link.target] = link

    def between(self, one: str, other: str) -> float:
        """Give the RTT between two machines in milliseconds; 0 for a machine and itself."""
        return 0.0 if one == other else self.rtt[pair(one, other)]

    def between_regions(self, one: str, other: str) -> float:
        """Give the median RTT over the pairs of machines of two regions in milliseconds; 0 within a region."""
        if one == other:
            return 0.0
        return round(median(self.between(a, b) for a in self._members[one] for b in self._members[other]), 3)

    def within_region(self, region: str) -> float:
        """Give the largest RTT between two machines of a region in milliseconds; 0 when it has only one."""
        return max((self.between(a, b) for a, b in combinations(self._members[region], 2)), default=0.0)

    def narrowest(self) -> Link | None:
        """Give the direction with the smallest path MTU, the first by name among equals; None without links."""
        return min(self._directions.values(), key=lambda link: (link.path_mtu, link.source, link.target), default=None)

    def lossy(self, above: float) -> list[tuple[Pair, float]]:
        """Give the pairs whose loss over both directions is above a fraction, with that loss."""
        losses = {
            (one, other): fmean((self._directions[one, other].loss, self._directions[other, one].loss))
            for one, other in self.rtt
        }
        return [(names, loss) for names, loss in losses.items() if loss > above]

    def asymmetric(self) -> list[Pair]:
        """Give the pairs whose two directions measured round trips that differ by more than a quarter and 10 ms."""
        return [
            (one, other)
            for (one, other), rtt in self.rtt.items()
            if abs(self._directions[one, other].rtt - self._directions[other, one].rtt) > max(10, 0.25 * rtt)
        ]
