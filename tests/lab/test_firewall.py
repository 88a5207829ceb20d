# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world can reach of the machines, with their firewall and without it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import road

OUTSIDER = Path(__file__).with_name("outsider.py")
# The one beside the controller: a command there costs no ocean.
REGION = "ru"
NODE = "devfest-ru-01"
PINGS = 5
NODE_PORT = 30080
MESH = json.loads((road.STATE / "mesh.json").read_text()) if (road.STATE / "mesh.json").exists() else {}


def on(node: str, command: str) -> str:
    """Run a shell command as root on a node and give its output."""
    done = road.Lab().run("ssh", node, "--", f"sudo sh -c '{command}'", check=False)
    assert done.returncode == 0, f"{node}: {command}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def firewall(playbook: road.Playbook, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the firewall's part of site.yml."""
    return playbook.run("--tags", "firewall", *arguments)


def assert_done(done: subprocess.CompletedProcess[str], node: str, changed: int) -> None:
    """The run ended well and changed that much on a node."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert road.recap(done.stdout)[node]["changed"] == changed, done.stdout[-3000:]


def answers(place: tuple[str, ...], address: str, port: int, seconds: int) -> bool:
    """Whether a TCP port answers somebody in a place of the lab."""
    done = subprocess.run((*place, "nc", "-z", "-w", str(seconds), address, str(port)), check=False, timeout=120)
    return done.returncode == 0


def client(region: str) -> tuple[str, ...]:
    """Give the command that runs another as a region's user."""
    return (str(road.ROOT / "lab" / "lab"), "client", region, "--")


CONTROLLER = ("ip", "netns", "exec", "geokube-controller")


def pings_that_get_in(lab: road.Lab) -> int:
    """Send pings from outside that pretend to come from a pod of another machine; count those that reach the node."""
    mac, own, pods = on(
        NODE,
        "cat /sys/class/net/flannel.1/address; ip -4 -o address show flannel.1; ip route show dev flannel.1 | head -1",
    ).splitlines()
    source, destination = pods.partition("/")[0], own.split()[3].partition("/")[0]
    before = echoes()
    lab.run("client", "sg", "--", "python3", str(OUTSIDER), road.NODES[REGION], mac, source, destination, str(PINGS))
    end = time.monotonic() + 5
    while echoes() - before < PINGS and time.monotonic() < end:
        time.sleep(0.5)
    return echoes() - before


def echoes() -> int:
    """Give how many pings have reached the node's own addresses."""
    names, values = on(NODE, "grep ^Icmp: /proc/net/snmp").splitlines()
    return int(dict(zip(names.split(), values.split(), strict=True))["InEchos"])


@contextmanager
def listening() -> Iterator[None]:
    """Let something on the node listen on all its addresses, on a port as Kubernetes gives them to services."""
    unit = "geokube-test-port"
    command = f"python3 -m http.server {NODE_PORT} --bind 0.0.0.0 --directory /srv"
    on(NODE, f"systemd-run --quiet --collect --unit={unit} --property=RuntimeMaxSec=300 {command}")
    try:
        end = time.monotonic() + 60
        while not answers(client(REGION), MESH[NODE], NODE_PORT, 1) and "30080" not in on(NODE, "ss -Hlnt"):
            assert time.monotonic() < end, "nothing listens"
            time.sleep(0.5)
        yield
    finally:
        on(NODE, f"systemctl stop {unit}")


def test_without_the_firewall_strangers_get_in_and_with_it_none(lab: road.Lab, playbook: road.Playbook) -> None:
    """The same packets reach a machine whose firewall is taken away, and not when it is back."""
    address = road.NODES[REGION]
    with listening():
        try:
            assert_done(firewall(playbook, "--limit", NODE, "-e", "firewall_state=absent"), NODE, 1)
            assert on(NODE, "nft list tables | grep -c geokube || true") == "0"
            assert answers(client(REGION), address, NODE_PORT, 20)
            assert pings_that_get_in(lab) == PINGS
        finally:
            back = firewall(playbook, "--limit", NODE)
        assert_done(back, NODE, 1)
        assert not answers(client(REGION), address, NODE_PORT, 3)
        assert pings_that_get_in(lab) == 0
        assert on("devfest-sg-01", f"nc -z -w 20 {MESH[NODE]} {NODE_PORT} && echo open") == "open"


def test_the_rules_are_there_before_the_network_after_a_boot() -> None:
    """The service that runs before the network loads what holds now."""
    shown = on(NODE, "systemctl show -p Before -p UnitFileState geokube-firewall")
    assert "network-pre.target" in shown and "UnitFileState=enabled" in shown
    live = on(NODE, "nft -s list table inet geokube")
    again = on(NODE, 'unshare --net sh -c "nft -f /etc/nftables.d/geokube.nft && nft -s list table inet geokube"')
    assert again == live


class Users:
    """Users who ask again and again; C(failed) holds every answer that is not 200."""

    def __init__(self, lab: road.Lab) -> None:
        self.failed: list[road.Reply] = []
        self.asked = 0
        self._lab = lab
        self._end = threading.Event()

    def ask(self, region: str) -> None:
        """Ask until told to end."""
        while not self._end.is_set():
            reply = self._lab.get(region, "/readyz")
            self.asked += 1
            if reply.status != 200:
                self.failed.append(reply)

    @contextmanager
    def asking(self, *regions: str) -> Iterator[None]:
        """Ask from regions while the body runs."""
        with ThreadPoolExecutor() as pool:
            for region in regions:
                pool.submit(self.ask, region)
            try:
                yield
            finally:
                self._end.set()


def test_an_origin_answers_the_edge_and_who_is_listed(lab: road.Lab, playbook: road.Playbook) -> None:
    """Sources that leave are shut out and come back, and meanwhile no request through the edge fails."""
    address = road.NODES[REGION]
    assert not answers(CONTROLLER, address, 443, 3)
    assert on("devfest-sg-01", f"nc -z -w 3 {address} 443 && echo open || echo shut") == "shut"
    assert answers(client(REGION), address, 443, 20)
    users = Users(lab)
    try:
        with users.asking("ru", "sg"):
            shut = firewall(playbook, "--limit", NODE, "--diff", "-e", json.dumps({"firewall_ingress_sources": []}))
            assert_done(shut, NODE, 1)
            assert "192.0.2.74" in shut.stdout
            assert not answers(client(REGION), address, 443, 3)
    finally:
        back = firewall(playbook, "--limit", NODE)
    assert_done(back, NODE, 1)
    assert answers(client(REGION), address, 443, 20)
    assert users.asked > 2 and not users.failed, users.failed[:3]


def test_rules_that_lock_ansible_out_are_rolled_back(playbook: road.Playbook) -> None:
    """The run fails and says why, the machine lets Ansible in again by itself, and nothing has changed."""
    before = on(NODE, "nft -s list table inet geokube")
    wrong = json.dumps({"firewall_ssh_sources": ["203.0.113.200"], "firewall_confirm_within": 10})
    done = firewall(playbook, "--limit", NODE, "-e", wrong)
    assert done.returncode != 0
    assert "no new connection" in done.stdout, done.stdout[-2000:]
    end = time.monotonic() + 120
    while road.Lab().run("ssh", NODE, "--", "true", check=False).returncode != 0:
        assert time.monotonic() < end, "the machine stays locked"
        time.sleep(1)
    assert on(NODE, "nft -s list table inet geokube") == before
    assert_done(firewall(playbook, "--limit", NODE), NODE, 0)
    assert on(NODE, "find /run -maxdepth 1 -name geokube-firewall") == ""
