# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Round trips and loss to many addresses with fping, or with ping where there is no fping."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

# (argv, seconds) -> (exit code, standard output, standard error); raises ProbeError when it hangs.
Run = Callable[[Sequence[str], float], "tuple[int, str, str]"]

REPLY_TIMEOUT_MS = 3000


class ProbeError(Exception):
    """A measuring tool failed. The text says which and how."""


@dataclass(frozen=True)
class Sample:
    """What came back from one address: the RTT of each reply in ms, and how many were sent."""

    replies: tuple[float, ...]
    sent: int

    @property
    def loss(self) -> float:
        """Give the share of requests that were not answered."""
        return round(1 - len(self.replies) / self.sent, 4) if self.sent else 1.0

    def summary(self) -> dict[str, float]:
        """Give min, median, p95 and max in ms; only for a sample with replies."""
        ordered = sorted(self.replies)
        return {
            "min": round(ordered[0], 3),
            "median": round(statistics.median(ordered), 3),
            "p95": round(ordered[max(0, -(-95 * len(ordered) // 100) - 1)], 3),
            "max": round(ordered[-1], 3),
        }


def fping_argv(program: str, addresses: Sequence[str], samples: int, interval_ms: int) -> list[str]:
    """Give the command that sends to all addresses in turn and prints every RTT."""
    return [
        program, "-q", "-C", str(samples), "-p", str(interval_ms), "-i", "1",
        "-t", str(REPLY_TIMEOUT_MS), "-r", "0", *addresses,
    ]  # fmt: skip


def parse_fping(text: str, addresses: Sequence[str], samples: int) -> dict[str, Sample]:
    """Read fping's C(address : 1.2 - 3.4) lines; lines about anything else are passed over."""
    found = {}
    for line in text.splitlines():
        address, separator, times = line.partition(" : ")
        address = address.strip()
        words = times.split()
        if not separator or address not in addresses or not all(re.fullmatch(r"-|\d+(\.\d+)?", one) for one in words):
            continue
        found[address] = Sample(tuple(float(one) for one in words if one != "-"), max(samples, len(words)))
    return found


def parse_ping(text: str, samples: int) -> Sample:
    """Read the replies that ping printed; a doubled reply counts once."""
    replies: dict[str, float] = {}
    for match in re.finditer(r"icmp_seq=(\d+) .*time=(\d+(?:\.\d+)?) ms", text):
        replies.setdefault(match.group(1), float(match.group(2)))
    return Sample(tuple(replies.values()), samples)


def measure(
    run: Run, addresses: Sequence[str], samples: int, interval_ms: int, fping: str | None, ping: str
) -> dict[str, Sample]:
    """Measure all addresses at once and give a sample for each. Raises ProbeError when a tool fails."""
    if not addresses:
        return {}
    patience = samples * interval_ms / 1000 + 2 * REPLY_TIMEOUT_MS / 1000 + 0.002 * samples * len(addresses) + 10
    if fping is None:
        return _measure_with_ping(run, addresses, samples, max(200, interval_ms), ping, patience + samples * 0.2)
    code, out, err = run(fping_argv(fping, addresses, samples, interval_ms), patience)
    found = parse_fping(out + "\n" + err, addresses, samples)
    missing = [address for address in addresses if address not in found]
    if code not in (0, 1) or missing:
        raise ProbeError(f"fping ended with {code} and said nothing of {', '.join(missing) or 'why'}: {_tail(err)}")
    return found


def _measure_with_ping(
    run: Run, addresses: Sequence[str], samples: int, interval_ms: int, ping: str, patience: float
) -> dict[str, Sample]:
    def one(address: str) -> Sample:
        argv = [ping, "-n", "-c", str(samples), "-i", str(interval_ms / 1000), "-W", "3", address]
        code, out, err = run(argv, patience)
        if code not in (0, 1):
            raise ProbeError(f"ping {address} ended with {code}: {_tail(err)}")
        return parse_ping(out, samples)

    with ThreadPoolExecutor(max_workers=min(32, len(addresses))) as pool:
        return dict(zip(addresses, pool.map(one, addresses)))  # noqa: B905 (Python 3.8 has no strict)


def wait_for_answers(run: Run, addresses: Sequence[str], seconds: int, fping: str | None) -> None:
    """Give unanswering addresses up to some seconds to answer; who answers at once costs one round trip."""
    if fping is not None and addresses and seconds > 0:
        run([fping, "-q", "-t", "1000", "-B", "1", "-r", str(seconds), *addresses], seconds + 15)


def _tail(text: str) -> str:
    return text.strip()[-300:] or "no message"
