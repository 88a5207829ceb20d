# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty requests a second while a point of presence is down, an origin refuses, and a removal is limited and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_traffic_under_load import REGIONS, ROOT, failures, lab, load, traffic

pytestmark = pytest.mark.lab
CONTROL = "http://127.0.0.1:5604"
AU = "devfest-au-01"


def control(method: str, path: str, body: Any = None) -> Any:
    """Ask the test side of the emulator."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(CONTROL + path, data, method=method), timeout=10) as answer:
        return json.load(answer)


def kill(parent: int) -> None:
    """Kill a process and all below it: Ansible's workers, and with them the module, are sessions of their own."""
    os.kill(parent, signal.SIGSTOP)
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        kill(int(child))
    os.kill(parent, signal.SIGKILL)


def test_a_point_of_presence_that_is_down() -> None:
    """The next one answers; only requests on the way at that moment may fail."""
    with load(45) as requests:
        time.sleep(5)
        down_at = time.time()
        lab("withdraw", "au")
        try:
            time.sleep(20)
        finally:
            up_at = time.time()
            lab("heal", "au")
    assert all(failures(requests[region]) == [] for region in ("ru", "sg", "br"))
    failed = failures(requests["au"])
    print(f"{len(failed)} of {len(requests['au'])} of au's requests failed")
    assert all(min(abs(one["start"] - down_at), abs(one["start"] - up_at)) < 5 for one in failed), failed
    between = {one["region"] for one in requests["au"] if down_at + 5 < one["start"] < up_at}
    assert between == {"sg"}
    assert requests["au"][-1]["region"] == "au"


def test_an_origin_that_refuses_is_noticed_by_nobody() -> None:
    """Refused connections are tried once in the next region, also before a probe has found them."""
    table = "inet geokube_test_origin"
    chain = "{ type filter hook prerouting priority -300; }"
    refuse = 'iifname "eth0" tcp dport 443 reject with tcp reset'
    rules = f"add table {table}; add chain {table} c {chain}; add rule {table} c {refuse}"
    with load(30) as requests:
        time.sleep(5)
        lab("ssh", AU, "--", f"sudo nft '{rules}'")
        refused_at = time.time()
        try:
            time.sleep(20)
        finally:
            healed_at = time.time()
            lab("ssh", AU, "--", f"sudo nft delete table {table}")
    assert {region: failures(found) for region, found in requests.items()} == {region: [] for region in REGIONS}
    between = {one["region"] for one in requests["au"] if refused_at + 1 < one["start"] < healed_at}
    assert between == {"sg"}


def test_a_removal_is_limited_then_killed_and_run_again() -> None:
    """Nobody notices; the second run ends where the first would have ended, and the region comes back."""
    hosts = json.dumps({"traffic_hosts": [f"devfest-{region}-01" for region in REGIONS if region != "au"],
                        "traffic_drain_seconds": 3})  # fmt: skip
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab", "playbooks/traffic.yml"]
    limit = {"method": "PATCH", "status": 429, "code": 10100, "headers": {"Retry-After": "2"}}
    hang = {"method": "PATCH", "action": "hang", "committed": True, "seconds": 120, "skip": 1}
    with load(60) as requests:
        control("DELETE", "/faults")
        control("POST", "/faults", [limit, hang])
        process = subprocess.Popen((*command, "-e", hosts), cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while sum(one.startswith("PATCH") for one in control("GET", "/requests")) < 3:
                assert process.poll() is None, "the playbook ended by itself"
                assert time.monotonic() < end
                time.sleep(0.2)
        finally:
            kill(process.pid)
            process.wait(10)
            control("DELETE", "/faults")
        traffic("-e", hosts)
        assert "changed=0" in traffic("-e", hosts)
        traffic()
    assert {region: failures(found) for region, found in requests.items()} == {region: [] for region in REGIONS}
    assert "changed=0" in traffic()
