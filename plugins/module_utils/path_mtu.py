# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The largest packet that a path carries, by pings that must not be fragmented."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .round_trips import ProbeError, Run

# What every IPv4 path must carry.
LEAST = 576
ETHERNET = 1500
LARGEST = 9216
_HINT = re.compile(r"mtu[ :=]+(\d+)")


def headers_of(address: str) -> int:
    """Give the bytes of the IP and ICMP headers of a ping to an address."""
    return 28 if ipaddress.ip_address(address).version == 4 else 48


def local_mtu(run: Run, ip: str, address: str, networks: Path = Path("/sys/class/net")) -> int:
    """Give the MTU of the interface through which an address is reached; 1500 where that cannot be told."""
    code, out, _err = run([ip, "-o", "route", "get", address], 10)
    device = re.search(r"\bdev (\S+)", out)
    if code != 0 or device is None:
        return ETHERNET
    try:
        return min(LARGEST, int((networks / device.group(1) / "mtu").read_text()))
    except (OSError, ValueError):
        return ETHERNET


def path_mtu(run: Run, ping: str, address: str, upper: int) -> int:
    """Give the largest packet in bytes, headers included, that an address answers to, at most C(upper).

    Asks the upper bound and what routers hint at first, then bisects. Raises ProbeError when not even 576 bytes pass.
    """
    passes, hint = _passes(run, ping, address, upper)
    if passes:
        return upper
    low, high = 0, upper
    for guess in (hint, ETHERNET if upper > ETHERNET else None, LEAST):
        if guess is None or not low < guess < high:
            continue
        passes, _hint = _passes(run, ping, address, guess)
        if passes and guess == hint:
            return guess
        low, high = (guess, high) if passes else (low, guess)
        if passes:
            break
    if low == 0:
        raise ProbeError(f"{address} does not answer to {LEAST} bytes that must not be fragmented")
    while high - low > 1:
        middle = (low + high) // 2
        passes, _hint = _passes(run, ping, address, middle)
        low, high = (middle, high) if passes else (low, middle)
    return low


def path_mtus(run: Run, ping: str, ip: str, addresses: Sequence[str], upper: int | None) -> dict[str, int | ProbeError]:
    """Measure many paths at once; a path that failed holds its error."""

    def one(address: str) -> int | ProbeError:
        try:
            return path_mtu(run, ping, address, upper or local_mtu(run, ip, address))
        except ProbeError as error:
            return error

    if not addresses:
        return {}
    with ThreadPoolExecutor(max_workers=min(32, len(addresses))) as pool:
        return dict(zip(addresses, pool.map(one, addresses)))  # noqa: B905 (Python 3.8 has no strict)


def _passes(run: Run, ping: str, address: str, size: int) -> tuple[bool, int | None]:
    payload = str(size - headers_of(address))
    argv = [ping, "-n", "-M", "do", "-s", payload, "-c", "3", "-i", "0.2", "-W", "2", address]
    code, out, err = run(argv, 20)
    if code not in (0, 1):
        raise ProbeError(f"ping {address} with {payload} bytes ended with {code}: {err.strip()[-200:]}")
    hint = _HINT.search(out + err)
    return code == 0, int(hint.group(1)) if hint else None
