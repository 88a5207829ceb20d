# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed between the regions of a running lab, as a value that is kept in one file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from geokube_lab import paths
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology


@dataclass
class State:
    """The sea as it is now. Pairs of regions are ordered by name: what lies between them holds for both ways.

    `withdrawn`: the regions whose point of presence is down.
    """

    rtt_ms: dict[tuple[str, str], float] = field(default_factory=dict)
    loss_percent: dict[tuple[str, str], float] = field(default_factory=dict)
    cut_pairs: set[tuple[str, str]] = field(default_factory=set)
    cut_regions: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)

    @property
    def broken(self) -> bool:
        """Whether anything is cut, lossy or down, so that `heal` would do something."""
        return bool(self.cut_pairs or self.cut_regions or self.loss_percent or self.withdrawn)

    def rtt(self, a: str, b: str) -> float:
        """Milliseconds there and back."""
        return self.rtt_ms[pair(a, b)]

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(
            {
                "rtt_ms": {"-".join(key): value for key, value in sorted(self.rtt_ms.items())},
                "loss_percent": {"-".join(key): value for key, value in sorted(self.loss_percent.items())},
                "cut_pairs": ["-".join(key) for key in sorted(self.cut_pairs)],
                "cut_regions": sorted(self.cut_regions),
                "withdrawn": sorted(self.withdrawn),
            },
            indent=1,
        )

    @classmethod
    def parse(cls, text: str) -> State:
        """The reverse of dump. Raises ValueError or KeyError."""
        document = json.loads(text)
        return cls(
            {_split(key): float(value) for key, value in document["rtt_ms"].items()},
            {_split(key): float(value) for key, value in document["loss_percent"].items()},
            {_split(key) for key in document["cut_pairs"]},
            set(document["cut_regions"]),
            set(document.get("withdrawn", ())),
        )


def pair(a: str, b: str) -> tuple[str, str]:
    """Two regions in the order in which the state keeps them."""
    return (a, b) if a < b else (b, a)


def _split(key: str) -> tuple[str, str]:
    a, b = key.split("-")
    return a, b


def fresh(topology: Topology) -> State:
    """The sea as topology.yml has it."""
    return State(rtt_ms={pair(a, b): topology.rtt(a, b) for a, b in topology.pairs})


def current() -> State:
    """The state of the running lab. Raises LabError when there is none."""
    try:
        return State.parse(paths.WAN_STATE.read_text())
    except FileNotFoundError:
        raise LabError("the lab is down; `lab/lab up` brings it up") from None
    except (OSError, ValueError, KeyError) as error:
        raise LabError(f"{paths.WAN_STATE}: cannot be read: {error}; run `lab/lab down`, then `lab/lab up`") from error
