# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty requests a second from four regions while a region leaves, and while one is cut off."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
REGIONS = ("ru", "sg", "au", "br")
RATE = 12.5
URL = "https://style.geokube.test/readyz"
DETECTION = 60.0
pytestmark = pytest.mark.lab


def lab(*arguments: str) -> None:
    """Run the lab's command."""
    subprocess.run((str(ROOT / "lab" / "lab"), *arguments), check=True, capture_output=True, timeout=120, cwd=ROOT)


def traffic(*options: str) -> str:
    """Run the traffic playbook on the lab; give its output."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab", "playbooks/traffic.yml"]
    done = subprocess.run((*command, *options), capture_output=True, text=True, check=False, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def load(seconds: float) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Run the load from every region; the dictionary holds the requests by region after the block."""
    script = str(Path(__file__).with_name("load.py"))
    found: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        # Files, not pipes: a pipe that nobody reads is full after a minute and holds the load up.
        outputs = {region: stack.enter_context(tempfile.TemporaryFile("w+")) for region in REGIONS}
        running = [
            subprocess.Popen(
                (
                    str(ROOT / "lab" / "lab"),
                    "client",
                    region,
                    "--",
                    sys.executable,
                    script,
                    URL,
                    str(RATE),
                    str(seconds),
                ),
                stdout=output,
                cwd=ROOT,
            )
            for region, output in outputs.items()
        ]
        try:
            yield found
        finally:
            for process in running:
                process.wait(timeout=seconds + 60)
            for region, output in outputs.items():
                output.seek(0)
                found[region] = [json.loads(line) for line in output]


def failures(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in requests if one["status"] != 200]


def test_a_region_leaves_and_comes_back_without_a_failed_request() -> None:
    """Drained, taken out of the balancer, deleted: nobody notices, and its users are served by the next region."""
    hosts = [f"devfest-{region}-01" for region in REGIONS if region != "au"]
    with load(60) as requests:
        time.sleep(5)
        left_at = time.time()
        traffic("-e", json.dumps({"traffic_hosts": hosts, "traffic_drain_seconds": 5}))
        gone_at = time.time()
        time.sleep(5)
        traffic()
    total = sum(len(found) for found in requests.values())
    failed = [one for found in requests.values() for one in failures(found)]
    print(f"region left in {gone_at - left_at:.1f} s: {total} requests, {len(failed)} failed")
    assert total == len(REGIONS) * int(RATE * 60)
    assert failed == []
    between = Counter(one["region"] for one in requests["au"] if gone_at < one["start"] < gone_at + 5)
    assert set(between) == {"sg"}
    assert requests["au"][-1]["region"] == "au"


def test_a_region_that_is_cut_off_fails_only_until_it_is_detected() -> None:
    """Users of the region are served by the next one; those of the others do not notice."""
    with load(110) as requests:
        time.sleep(5)
        cut_at = time.time()
        lab("cut", "au")
        try:
            time.sleep(75)
        finally:
            lab("heal")
    failed = {region: failures(found) for region, found in requests.items()}
    print({region: f"{len(failed[region])} of {len(found)} failed" for region, found in requests.items()})
    assert all(failed[region] == [] for region in ("ru", "sg", "br"))
    assert all(one["start"] < cut_at + DETECTION for one in failed["au"])
    settled = [one for one in requests["au"] if cut_at + DETECTION < one["start"] < cut_at + 75]
    assert {one["region"] for one in settled} == {"sg"}
    assert max(one["seconds"] for one in settled) < 5
