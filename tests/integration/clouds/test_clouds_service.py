# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command and its control endpoint, as the lab runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from geokube_lab.clouds import Clouds, Ports, credentials
from geokube_lab.topology import load

LAB = Path(__file__).parents[3] / "lab"
COMMAND = (sys.executable, "-m", "geokube_lab.clouds")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(LAB)}


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """The service on free ports; what its first line says."""
    argv = (*COMMAND, "serve", "--free-ports", "--only", "gcp", "digitalocean")
    with subprocess.Popen(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def reset(served: dict[str, Any]) -> None:
    """Undoes what the test before did."""
    run(served, "reset")


def run(served: dict[str, Any], *arguments: str, status: int = 0) -> str:
    """One command against the control endpoint."""
    port = served["control"].rpartition(":")[2]
    argv = (*COMMAND, "--control-port", port, *arguments)
    done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def droplets(served: dict[str, Any]) -> requests.Response:
    """The list of droplets."""
    headers = {"Authorization": f"Bearer {credentials.DIGITALOCEAN_TOKEN}"}
    return requests.get(f"{served['digitalocean']}/droplets", headers=headers, timeout=5)


def test_it_lists_the_lab_and_tells_how_to_reach_it(served: dict[str, Any]) -> None:
    assert [each["name"] for each in droplets(served).json()["droplets"]] == ["devfest-sg-01"]
    assert served["providers"]["gcp"] == {"projects": ["geokube-lab"], "endpoint": served["gcp"]}


def test_break_and_heal(served: dict[str, Any]) -> None:
    run(served, "fault", "digitalocean", "status", "--status", "429", "--retry-after", "3", "--times", "1")
    answer = droplets(served)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert droplets(served).status_code == 200
    run(served, "fault", "all", "status", "--status", "401")
    assert droplets(served).status_code == 401
    shown = json.loads(run(served, "show"))
    assert shown["gcp"]["faults"][0]["status"] == 401
    assert shown["digitalocean"]["by_operation"]["droplets"] >= 3
    run(served, "heal", "digitalocean")
    assert droplets(served).status_code == 200
    assert json.loads(run(served, "show"))["gcp"]["faults"]


def test_a_machine_goes_and_comes_back(served: dict[str, Any]) -> None:
    run(served, "machine", "devfest-sg-01", "--state", "stopped")
    assert droplets(served).json()["droplets"][0]["status"] == "off"
    run(served, "machine", "devfest-sg-01", "--remove")
    assert droplets(served).json()["droplets"] == []
    run(served, "reset")
    assert droplets(served).json()["droplets"][0]["status"] == "active"


def test_latency(served: dict[str, Any]) -> None:
    run(served, "latency", "digitalocean", "0.3")
    assert droplets(served).elapsed.total_seconds() >= 0.3


def test_errors_say_what_is_wrong(served: dict[str, Any]) -> None:
    assert "no machine 'nobody'" in run(served, "machine", "nobody", "--remove", status=1)
    assert "not an error status" in run(served, "fault", "gcp", "status", "--status", "200", status=1)
    assert "name the zone" in run(served, "fault", "gcp", "unreachable", status=1)
    gone = {"control": "http://127.0.0.1:9"}
    assert "is the lab up?" in run(gone, "show", status=1)
    answer = requests.post(f"{served['control']}/azure/faults", json={"kind": "hang"}, timeout=5)
    assert (answer.status_code, "there is no cloud 'azure'" in answer.json()["error"]) == (404, True)
    answer = requests.post(f"{served['control']}/gcp/faults", data="[", timeout=5)
    assert answer.status_code == 400


def test_a_port_that_is_taken_is_named(served: dict[str, Any]) -> None:
    taken = int(served["gcp"].rpartition(":")[2])
    with pytest.raises(OSError, match=f"127.0.0.1:{taken} cannot be listened on"):
        Clouds([], ports=Ports(gcp=taken), only=["digitalocean", "gcp"])


def test_the_lab_would_serve_all_four_on_its_own_ports() -> None:
    ports = load().ports
    assert (ports["aws"], ports["gcp"], ports["digitalocean"], ports["yandex"]) == (5600, 5601, 5602, 5603)
