#!/usr/bin/env python3
# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of C(ansible-inventory --list) over four emulated clouds: this collection's plugin beside the peers.

Everything runs in one go on one machine: an inventory with nothing in it, Ansible's own cost of as many hosts and
variables, the peers one by one and all together, this plugin cold and from its cache. The targets are checked, and the
exit code says whether they hold. The package C(ansible) has no plugin for Yandex Cloud: the peers find three quarters.

Core 2.19 takes longer for its own part. Asking the clouds has the same target there; from the cache the plugin may take
as much more than Ansible's own row as the target is above that row on core 2.18.
C(--profile) shows whose code the time of a run is spent in.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "lab"), str(Path(__file__).parent)]

from geokube_lab.clouds import Clouds  # noqa: E402
from tls_front import TlsFront  # noqa: E402

PROFILED = Path(__file__).with_name("inventory_profiled.py")
LATENCY = 0.2
PLUGIN = "meridian.geokube.clouds"
GOOGLE = "www.googleapis.com"
PUBLIC_ADDRESS = "do_networks.v4 | selectattr('type', 'eq', 'public') | map(attribute='ip_address') | first"
#: Host variables of this plugin that are text, for the row that adds as many without asking anybody.
FLOOR_VARIABLES = 17
#: What adding hosts costs core 2.18, by the number of machines, seconds. Measured on two quiet cores.
OWN_COST: Mapping[int, float] = {10000: 2.6}
#: (machines, from the cache): seconds, MB, with the latency above on two quiet cores.
TARGETS: Mapping[tuple[int, bool], tuple[float, float | None]] = {
    (1000, False): (1.5, None),
    (10000, False): (5.5, 250.0),
    (10000, True): (3.5, None),
}


@dataclass(frozen=True)
class Measured:
    """One row: the best of the runs. C(user) is the processor time of the process, C(megabytes) its largest size."""

    name: str
    hosts: int
    seconds: float
    user: float
    megabytes: float
    requests: int


@dataclass
class Served:
    """The emulators that run in a process of their own."""

    process: subprocess.Popen[str]
    control: str
    providers: dict[str, dict[str, Any]]
    environment: dict[str, str] = field(default_factory=dict)

    def requests(self) -> int:
        """Count the requests since the last time."""
        with urllib.request.urlopen(f"{self.control}/") as answer:
            count = sum(entry["requests"] for entry in json.load(answer).values())
        urllib.request.urlopen(urllib.request.Request(f"{self.control}/all/requests", method="DELETE")).close()
        return int(count)


@contextmanager
def served(machines: int) -> Iterator[Served]:
    """Serve the clouds with C(machines) dealt out to them in turn."""
    command = [sys.executable, "-m", "geokube_lab.clouds", "serve", "--free-ports"]
    command += ["--machines", str(machines), "--latency", str(LATENCY)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lab")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the emulated clouds did not start; see the messages above")
        answer = json.loads(line)
        yield Served(process, answer["control"], answer["providers"], Clouds(only=()).environment())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def sources(folder: Path, clouds: Served) -> dict[str, list[Path]]:
    """Write the inventory files; give those of each row."""
    aws, gcp, ocean = (clouds.providers[name] for name in ("aws", "gcp", "digitalocean"))
    documents: dict[str, dict[str, Any]] = {
        "ours.geokube.yml": {"plugin": PLUGIN, "cluster": "k1", "providers": clouds.providers},
        "cached.geokube.yml": {
            "plugin": PLUGIN,
            "cluster": "k1",
            "providers": clouds.providers,
            "cache": True,
            "cache_plugin": "ansible.builtin.jsonfile",
            "cache_connection": str(folder / "cache"),
        },
        "peer.aws_ec2.yml": {
            "plugin": "amazon.aws.aws_ec2",
            "endpoint_url": aws["endpoint"],
            "regions": aws["regions"],
            "filters": {"tag:geokube-cluster": "k1"},
            "hostnames": ["tag:Name"],
            "keyed_groups": [{"key": "placement.availability_zone", "prefix": "zone"}],
            "compose": {"ansible_host": "public_ip_address"},
        },
        "peer.gcp.yml": {
            "plugin": "google.cloud.gcp_compute",
            "projects": gcp["projects"],
            "auth_kind": "accesstoken",
            "filters": ["labels.geokube-cluster = k1"],
            "hostnames": ["name"],
            "keyed_groups": [{"key": "zone", "prefix": "zone"}],
            "compose": {"ansible_host": "networkInterfaces[0].accessConfigs[0].natIP"},
        },
        "peer.digitalocean.yml": {
            "plugin": "community.digitalocean.digitalocean",
            "baseurl": ocean["endpoint"],
            "api_token": clouds.environment["DIGITALOCEAN_ACCESS_TOKEN"],
            "attributes": ["id", "name", "networks", "region", "size_slug", "tags"],
            "keyed_groups": [{"key": "do_region.slug", "prefix": "zone"}],
            "compose": {"ansible_host": PUBLIC_ADDRESS},
        },
        "floor.yml": {"plugin": "geokube_floor"},
    }
    for name, document in documents.items():
        (folder / name).write_text(yaml.safe_dump(document))
    (folder / "empty.ini").write_text("")
    peers = [folder / name for name in documents if name.startswith("peer.")]
    return {
        "nothing": [folder / "empty.ini"],
        f"Ansible itself: as many hosts, {FLOOR_VARIABLES} variables": [folder / "floor.yml"],
        "amazon.aws.aws_ec2 (a quarter of them)": [peers[0]],
        "google.cloud.gcp_compute (a quarter)": [peers[1]],
        "community.digitalocean.digitalocean (a quarter)": [peers[2]],
        "these three together (three quarters)": peers,
        f"{PLUGIN} (all four clouds)": [folder / "ours.geokube.yml"],
        f"{PLUGIN}, from its cache": [folder / "cached.geokube.yml"],
    }


FLOOR = '''
DOCUMENTATION = """
name: geokube_floor
short_description: Hosts from nowhere
description: What Ansible takes to add hosts and variables.
options: {plugin: {description: The name., type: str}}
"""
from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    NAME = "geokube_floor"

    def verify_file(self, path):
        return True

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        for group in range(20):
            inventory.add_group(f"group_{group}")
        for number in range(MACHINES):
            host = f"n{number:05d}"
            inventory.add_host(host)
            for variable in range(VARIABLES):
                inventory.set_variable(host, f"geokube_variable_{variable}", f"value {number % 97}")
            for group in (0, 1, 2, 3 + number % 17):
                inventory.add_child(f"group_{group}", host)
'''


def measure(
    venv: Path, name: str, files: Sequence[Path], clouds: Served, environment: Mapping[str, str], runs: int
) -> Measured:
    """Run a row C(runs) times and keep the quickest."""
    best: Measured | None = None
    for _run in range(runs):
        clouds.requests()
        output = files[0].parent / "output.json"
        command = [str(venv / "bin" / "ansible-inventory"), "--list"]
        for file in files:
            command += ["-i", str(file)]
        start = time.monotonic()
        with output.open("w") as out, (files[0].parent / "errors").open("w") as errors:
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=errors, cwd=files[0].parent)
            _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        hosts = len(json.loads(output.read_text() or "{}").get("_meta", {}).get("hostvars", {}))
        row = Measured(name, hosts, seconds, usage.ru_utime, usage.ru_maxrss / 1024, clouds.requests())
        if best is None or row.seconds < best.seconds:
            best = row
    assert best is not None
    return best


def release(venv: Path) -> str:
    """Give the release of ansible-core in an environment."""
    command = [str(venv / "bin" / "python"), "-c", "from ansible.release import __version__; print(__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def table(venv: Path, machines: int, runs: int, peers: bool) -> list[Measured]:
    """Measure all rows for one number of machines, and print them as they come."""
    print(
        f"\nansible-core {release(venv)}, {machines} machines, {LATENCY * 1000:.0f} ms added to each request, "
        f"best of {runs}; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'':58}{'found':>7}{'wall s':>8}{'cpu s':>8}{'MB':>6}{'requests':>10}")
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory() as name, served(machines) as clouds:
        folder = Path(name)
        plugins = folder / "plugins"
        plugins.mkdir()
        floor = FLOOR.replace("MACHINES", str(machines)).replace("VARIABLES", str(FLOOR_VARIABLES))
        (plugins / "geokube_floor.py").write_text(floor)
        port = int(clouds.providers["gcp"]["endpoint"].rpartition(":")[2])
        front = TlsFront({GOOGLE: port}, folder)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE", "AWS_", "GCP_"))},
            **clouds.environment,
            "HOME": name,
            "ANSIBLE_INVENTORY_PLUGINS": str(plugins),
            "AWS_REGION": "us-east-1",
        }
        # The peer for Compute Engine has no option for another address.
        tunnel = {"HTTPS_PROXY": f"http://127.0.0.1:{front.port}", "REQUESTS_CA_BUNDLE": str(front.authority)}
        for row, files in sources(folder, clouds).items():
            if not peers and files[0].name.startswith("peer."):
                continue
            if machines and files[0].name == "ours.geokube.yml":
                # moto is slow on its first answer; nobody's time should tell of that.
                measure(venv, row, files, clouds, environment, 1)
            extra = tunnel if any(file.name == "peer.gcp.yml" for file in files) else {}
            warm = runs + 1 if "cache" in row else runs
            rows.append(measure(venv, row, files, clouds, {**environment, **extra}, warm))
            last = rows[-1]
            print(
                f"{last.name:58}{last.hosts:>7}{last.seconds:>8.2f}{last.user:>8.2f}{last.megabytes:>6.0f}"
                f"{last.requests:>10}",
                flush=True,
            )
        front.close()
    return rows


def judged(venv: Path, machines: int, rows: Sequence[Measured]) -> list[str]:
    """Give what misses its target."""
    core = release(venv)
    floor = next(row for row in rows if row.name.startswith("Ansible itself"))
    missed = []
    for row in rows:
        if not row.name.startswith(PLUGIN):
            continue
        if row.hosts != machines:
            missed.append(f"core {core}, {row.name}: found {row.hosts} of {machines}")
        seconds, megabytes = TARGETS.get((machines, "cache" in row.name), (None, None))
        if seconds is not None and "cache" in row.name and not core.startswith("2.18."):
            seconds = seconds - OWN_COST[machines] + floor.seconds
        if seconds is not None and row.seconds > seconds:
            missed.append(f"core {core}, {row.name}, {machines} machines: {row.seconds:.2f} s, wanted {seconds:.2f} s")
        if megabytes is not None and row.megabytes > megabytes:
            missed.append(
                f"core {core}, {row.name}, {machines} machines: {row.megabytes:.0f} MB, wanted {megabytes:.0f} MB"
            )
    return missed


def profile(venv: Path, machines: int) -> None:
    """Print whose code a run is in; the profiler slows some code more than other, so only the shares count."""
    print(f"\nansible-core {release(venv)}, {machines} machines, shares of a cold run of ansible-inventory --list")
    with tempfile.TemporaryDirectory() as name, served(machines) as clouds:
        files = sources(Path(name), clouds)[f"{PLUGIN} (all four clouds)"]
        environment = {**os.environ, **clouds.environment, "HOME": name}
        for stderr in (subprocess.DEVNULL, None):
            subprocess.run(
                [venv / "bin" / "python", PROFILED, "--list", "-i", files[0], "--output", Path(name) / "out"],
                env=environment,
                cwd=name,
                stderr=stderr,
                check=True,
            )


def main() -> int:
    """Print the tables; 0 when every target holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, nargs="+", default=[10, 1000, 10000], help="how many, over four clouds")
    parser.add_argument("--runs", type=int, default=3, help="runs of each row; the quickest counts")
    parser.add_argument("--venv", type=Path, nargs="+", default=None, help="environments with Ansible")
    parser.add_argument("--no-peers", action="store_false", dest="peers", help="leave out the peers, which are slow")
    parser.add_argument("--profile", action="store_true", help="show whose code the time is spent in")
    arguments = parser.parse_args()
    venvs = [path.absolute() for path in arguments.venv or []] or [
        path for path in (ROOT / ".venv-2.18", ROOT / ".venv") if path.exists()
    ]
    missed = []
    for venv in venvs:
        for machines in arguments.machines:
            missed += judged(venv, machines, table(venv, machines, arguments.runs, arguments.peers))
        if arguments.profile:
            profile(venv, max(arguments.machines))
    print("\n" + ("\n".join(missed) if missed else "every target holds"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
