"""Where the lab keeps things, and the names that mark what is the lab's."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "geokube-"
LAB = Path(__file__).resolve().parents[1]

RUN = Path("/run/geokube-lab")
PIDS = RUN / "pids"
CLIENT = RUN / "client"
# Sockets of the ssh connections that Ansible keeps to the machines.
CONTROL = RUN / "ssh"
WAN_STATE = RUN / "wan.json"

DATA = Path("/var/lib/geokube-lab")
MACHINES = DATA / "machines"
LOGS = DATA / "logs"
SSH = DATA / "ssh"
KEY = SSH / "id_ed25519"
KNOWN_HOSTS = SSH / "known_hosts"
CA = DATA / "ca"
REGISTRY = DATA / "registry"
FILES = DATA / "files"

NETNS = Path("/run/netns")
CGROUPS = Path("/sys/fs/cgroup")
# The cgroup that holds the machines in every hierarchy.
CGROUP = PREFIX + "lab"
SERVICES_CGROUP = PREFIX + "services"

ROUTER = PREFIX + "router"
CONTROLLER = PREFIX + "controller"


def cache() -> Path:
    """What survives `down --purge`: root file systems, binaries, images."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "geokube"


def node_namespace(name: str) -> str:
    """The network namespace of a machine."""
    return f"{PREFIX}node-{name}"


def client_namespace(region: str) -> str:
    """The network namespace of a region's users."""
    return f"{PREFIX}client-{region}"


def pop_namespace(region: str) -> str:
    """The network namespace of a region's point of presence."""
    return f"{PREFIX}pop-{region}"


def node_cgroup(name: str) -> str:
    """A machine's cgroup, below CGROUP."""
    return f"{PREFIX}node-{name}"
