"""A second, small lab in a sandbox, so that cutting, crashing and killing cannot hurt the lab that stands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip without root, with the reason; in CI these tests must run."""
    for item in items:
        if HERE in Path(item.fspath).parents:
            item.add_marker(pytest.mark.lab)
            if os.geteuid() != 0 and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="the lab needs root (network namespaces, cgroups, mounts)"))


class SmallLab:
    """The lab's command inside a sandbox, on a topology of three regions."""

    def __init__(self, sandbox: Sandbox, topology: Path) -> None:
        """Both made by the fixtures."""
        self.sandbox = sandbox
        self.topology = topology

    def command(self, *arguments: str) -> list[str]:
        """The command line, to be run in the sandbox."""
        return [str(ROOT / "lab" / "lab"), "--topology", str(self.topology), *arguments]

    def lab(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Run lab/lab, check how it ended, give what it printed."""
        ended, output = self.sandbox.run(*self.command(*arguments), environment=environment)
        assert ended == code, f"lab/lab {' '.join(arguments)} ended with {ended}:\n{output}"
        return output

    def on(self, node: str, script: str, code: int = 0) -> str:
        """Run a shell script as root on a machine."""
        return self.lab("ssh", node, "--", f"sudo sh -c '{script}'", code=code)

    def inside(self, namespace: str, *argv: str) -> str:
        """Run a command in a network namespace, whatever it ends with."""
        return self.sandbox.run("ip", "netns", "exec", namespace, *argv)[1]

    def round_trips(self, namespace: str, address: str, count: int = 5) -> list[float]:
        """Round trips in ms from a namespace; empty when nothing came back."""
        output = self.inside(namespace, "fping", "-q", "-C", str(count), "-p", "60", "-t", "1500", address)
        times = re.search(rf"{re.escape(address)} *: ([-\d. ]+)", output)
        assert times, output
        return [float(time) for time in times.group(1).split() if time != "-"]

    def leftovers(self) -> list[str]:
        """What is there of a lab: processes, namespaces, mounts, cgroups, files."""
        script = (
            "exec 2>/dev/null; ls /run/netns; "
            "grep -oE '^geokube-[^ ]* | /run/netns/[^ ]*| /var/lib/geokube-lab/[^ ]*' /proc/mounts; "
            "find /sys/fs/cgroup -name 'geokube-*'; ls -A /var/lib/geokube-lab; ls -d /run/geokube-lab /run/systemd; "
            "ps -eo args | grep -E '^[^ ]*(systemd-nspawn|dnsmasq|docker-registry|python.* -m geokube_lab|/sbin/init)'"
        )
        return self.sandbox.run("sh", "-c", script + "; true")[1].split()


@pytest.fixture(scope="session")
def small_topology(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default topology without Brazil: fewer machines, and a matrix that is not symmetric by accident."""
    document = yaml.safe_load((ROOT / "lab" / "topology.yml").read_text())
    del document["regions"]["br"], document["rtt_ms"]["br"]
    for row in document["rtt_ms"].values():
        del row["br"]
    document["regions"]["au"]["mtu"] = 1460
    path = tmp_path_factory.mktemp("topology") / "topology.yml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, small_topology: Path) -> Iterator[SmallLab]:
    """A sandbox without a lab."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox") / "data")
    try:
        yield SmallLab(sandbox, small_topology)
    finally:
        sandbox.close()


@pytest.fixture(scope="module")
def small(empty: SmallLab) -> SmallLab:
    """A sandbox with a lab that is up."""
    assert "each within 3%" in empty.lab("up")
    return empty
