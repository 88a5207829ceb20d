# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fifty requests a second while origins open, shut again, and learn another authority."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from geokube_lab.demo.origin_access import NAME, past_the_edge
from test_traffic_under_load import REGIONS, ROOT, failures, load, traffic

pytestmark = pytest.mark.lab
STATE = ROOT / "inventories" / "lab" / ".geokube" / "devfest"
AU = "198.51.100.10"


def takes(options: tuple[str, ...]) -> bool:
    """Whether au's origin answers a user of au who asks it with these options of curl."""
    command = (str(ROOT / "lab" / "lab"), "client", "au", "--", "curl", "-sSk", "-o", "/dev/null", "--max-time", "20")
    return subprocess.run((*command, *options, f"https://{NAME}/readyz"), check=False, cwd=ROOT).returncode == 0


def wait_until_refused(options: tuple[str, ...]) -> None:
    end = time.monotonic() + 60
    while takes(options):
        assert time.monotonic() < end, "the origin still takes a client of the old authority"
        time.sleep(0.5)


def test_whom_origins_take_changes_without_a_failed_request(tmp_path: Path) -> None:
    nobody = past_the_edge(AU, tmp_path)
    old = past_the_edge(AU, STATE)
    with load(50) as requests:
        assert (takes(nobody), takes(old)) == (False, True)
        traffic("-e", '{"traffic_authenticated_origin_pulls": false}')
        assert (takes(nobody), takes(old)) == (True, True)
        traffic()
        assert (takes(nobody), takes(old)) == (False, True)
        (STATE / "certificates" / "pulls").rename(tmp_path / "pulls")
        traffic()
        kept = ("--cert", str(tmp_path / "pulls" / "client.crt"), "--key", str(tmp_path / "pulls" / "client.key"))
        # From outside one authority looks like two: the run cannot wait until Traefik has forgotten the old one.
        wait_until_refused((*nobody, *kept))
        assert (takes(nobody), takes(past_the_edge(AU, STATE))) == (False, True)
        recap = traffic().partition("PLAY RECAP")[2]
        assert recap.count("changed=0") == len(REGIONS) + 1, recap
    assert {region: failures(found) for region, found in requests.items()} == {region: [] for region in REGIONS}
