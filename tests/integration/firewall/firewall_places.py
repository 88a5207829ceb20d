# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with a public interface, a mesh and a pod, in network namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ANSWERS = Path(__file__).with_name("firewall_answers.py")
MACHINE = {4: "192.0.2.10", 6: "2001:db8:1::10"}
# Two places of the world: who is let in on 443, and who is not.
EDGE = {4: "192.0.2.74", 6: "2001:db8:1::74"}
STRANGER = {4: "192.0.2.99", 6: "2001:db8:1::99"}
MESH = {4: "10.255.0.1", 6: "fd00::1"}
POD = "10.233.64.5"
PORTS = (22, 8472, 10250, 30080)

ASK = """
import socket, sys
kind, source, target, port, patience = sys.argv[1:]
family = socket.AF_INET6 if ":" in target else socket.AF_INET
one = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
one.settimeout(float(patience))
try:
    one.bind((source, 0))
    one.connect((target, int(port)))
    if kind == "udp":
        one.send(b"?")
    print(one.recv(64).decode())
except OSError as error:
    print(type(error).__name__)
"""


class Places:
    """The namespaces: machine, world, mesh, pod."""

    def __init__(self, prefix: str) -> None:
        self.names = {name: f"{prefix}-{name}" for name in ("machine", "world", "mesh", "pod")}
        self.machine = self.names["machine"]

    def run(self, place: str, *argv: str, stdin: str | None = None) -> str:
        """Run a command in a place and give its output."""
        command = ("ip", "netns", "exec", self.names[place], *argv)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, place: str, kind: str, source: str, target: str, port: int, patience: float = 20) -> str:
        """Give what answers on a port, or the name of the error after C(patience) seconds."""
        return self.run(place, sys.executable, "-c", ASK, kind, source, target, str(port), str(patience)).strip()

    @contextmanager
    def answering(self, place: str, word: str, ports: Sequence[int]) -> Iterator[None]:
        """Answer with a word on ports of a place."""
        command = ("ip", "netns", "exec", self.names[place], sys.executable, str(ANSWERS), word, *map(str, ports))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                yield
            finally:
                process.kill()

    def build(self) -> None:
        """Make the links, addresses and routes, and a port of the machine that is a pod's."""
        for name in self.names.values():
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        world = [f"{one[4]}/24" for one in (EDGE, STRANGER)] + [f"{one[6]}/64" for one in (EDGE, STRANGER)]
        self._link("world", "eth0", [f"{MACHINE[4]}/24", f"{MACHINE[6]}/64"], world)
        self._link("mesh", "wg0", [f"{MESH[4]}/24", f"{MESH[6]}/64"], ["10.255.0.2/24", "fd00::2/64"])
        self._link("pod", "cni0", ["10.233.64.1/24"], [f"{POD}/24"])
        ip("-n", self.machine, "route", "add", "default", "via", EDGE[4])
        ip("-n", self.machine, "-6", "route", "add", "default", "via", EDGE[6])
        ip("-n", self.names["pod"], "route", "add", "default", "via", "10.233.64.1")
        self.run("machine", "sysctl", "-q", "net.ipv4.ip_forward=1")
        self.run("machine", "nft", "-f", "-", stdin=HOST_PORT)

    def remove(self) -> None:
        """Remove the namespaces, and with them everything in them."""
        for name in self.names.values():
            subprocess.run(("ip", "netns", "delete", name), check=False, capture_output=True)

    def _link(self, place: str, interface: str, near: Sequence[str], far: Sequence[str]) -> None:
        other = self.names[place]
        ip("-n", self.machine, "link", "add", interface, "type", "veth", "peer", "name", "up0", "netns", other)
        for namespace, end, addresses in ((self.machine, interface, near), (other, "up0", far)):
            for address in addresses:
                dad = ("nodad",) if ":" in address else ()
                ip("-n", namespace, "address", "add", address, "dev", end, *dad)
            ip("-n", namespace, "link", "set", end, "up")


# As a pod's port on its machine is made: translated before it is routed.
HOST_PORT = f"""
table ip pods {{
	chain prerouting {{
		type nat hook prerouting priority dstnat;
		fib daddr type local tcp dport 443 dnat to {POD}:8443
	}}
}}
"""


def ip(*arguments: str) -> None:
    """Run ip."""
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


@contextmanager
def places() -> Iterator[Places]:
    """Give the places, with everything answering; they are gone afterwards."""
    made = Places(f"gkfw{os.getpid()}")
    with ExitStack() as stack:
        stack.callback(made.remove)
        made.build()
        stack.enter_context(made.answering("machine", "machine", PORTS))
        stack.enter_context(made.answering("pod", "pod", [8443]))
        stack.enter_context(made.answering("world", "world", [53]))
        yield made
