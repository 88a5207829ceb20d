"""The lab's own check of its links: round trips between all regions, measured from machine to machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from statistics import median

from geokube_lab import paths
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology

TOLERANCE = 0.03
# A link of few milliseconds cannot be held to a share of it.
FLOOR_MS = 1.0


def round_trips(topology: Topology, samples: int = 5) -> dict[tuple[str, str], float | None]:
    """Median round trip in ms of every ordered pair, all measured at once; None where nothing came back."""
    places = {name: region.nodes[0] for name, region in topology.regions.items() if region.nodes}
    running = {}
    for name, node in places.items():
        targets = {str(other.public_address): region for region, other in places.items() if region != name}
        command = [
            "ip",
            "netns",
            "exec",
            paths.node_namespace(node.name),
            "fping",
            "-q",
            "-C",
            str(samples),
            "-p",
            "120",
        ]
        command += ["-t", "2000", *targets]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running[name] = (child, targets)
    result: dict[tuple[str, str], float | None] = {}
    for name, (child, targets) in running.items():
        output = child.communicate(timeout=60)[0]
        found = parse(output)
        for address, region in targets.items():
            if address not in found:
                raise LabError(f"fping in {name} said nothing about {address}: {output.strip()}")
            times = found[address]
            result[name, region] = median(times) if times else None
    return result


def parse(output: str) -> dict[str, list[float]]:
    """Read what `fping -C` printed: `ADDRESS : 1.23 - 4.56`, a dash for what was lost."""
    found = {}
    for line in output.splitlines():
        address, separator, times = line.partition(" : ")
        if separator and re.fullmatch(r"[-\d. ]+", times):
            found[address.strip()] = [float(time) for time in times.split() if time != "-"]
    return found


def deviations(
    expected: Mapping[tuple[str, str], float], measured: Mapping[tuple[str, str], float | None]
) -> dict[tuple[str, str], str]:
    """What is wrong with each pair that is not within the tolerance."""
    wrong = {}
    for ordered, milliseconds in measured.items():
        wanted = expected[ordered]
        if milliseconds is None:
            wrong[ordered] = f"{wanted:g} ms wanted, no answer"
        elif abs(milliseconds - wanted) > max(FLOOR_MS, TOLERANCE * wanted):
            wrong[ordered] = f"{wanted:g} ms wanted, {milliseconds:.1f} measured"
    return wrong
