"""What lies between the regions, made true: round trips, loss, cuts, and who answers the anycast addresses."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from fcntl import LOCK_EX, flock

from geokube_lab import anycast, paths, storage
from geokube_lab.errors import LabError
from geokube_lab.paths import LOGS
from geokube_lab.processes import background, last_lines, recorded, run, wait_for
from geokube_lab.seas import State, current, fresh, pair
from geokube_lab.topology import Topology
from geokube_lab.wires import machines_bridge, users_bridge

__all__ = ["State", "apply", "change", "current", "fresh", "pair", "ruleset", "start_relay"]

TABLE = "inet geokube_wan"
RELAY = "relay"
DELAYS = paths.RUN / "delays.json"


def queue_numbers(topology: Topology) -> dict[tuple[str, str], int]:
    """The queue of each ordered pair of regions."""
    return {ordered: number for number, ordered in enumerate(topology.pairs, start=1)}


def delays(topology: Topology, state: State) -> dict[str, float]:
    """What the relay reads: milliseconds one way, by queue."""
    return {str(queue): state.rtt(a, b) / 2 for (a, b), queue in queue_numbers(topology).items()}


def ruleset(topology: Topology, state: State) -> str:
    """The router's nftables table, as one transaction that may be applied again at any time.

    What may cross leaves with its queue's number as its mark, for queue_rules. Base chains are never deleted: the
    kernel would drop all packets that wait in the queues.
    """
    sides = {name: (machines_bridge(name), users_bridge(name)) for name in topology.regions}
    lines = [
        f"add table {TABLE}",
        f"add chain {TABLE} forward {{ type filter hook forward priority -10; policy drop; }}",
        f"flush chain {TABLE} forward",
    ]
    for a, b in topology.pairs:
        lines += [f"add chain {TABLE} {a}_{b}", f"flush chain {TABLE} {a}_{b}"]
    for region in sorted(state.cut_regions):
        bridge = machines_bridge(region)
        lines.append(f'add rule {TABLE} forward iifname "{bridge}" drop')
        lines.append(f'add rule {TABLE} forward oifname "{bridge}" drop')
    ways = [f'"{i}" . "{o}" : accept' for side in sides.values() for i in side for o in side]
    for (a, b), queue in queue_numbers(topology).items():
        ways += [f'"{i}" . "{o}" : goto {a}_{b}' for i in sides[a] for o in sides[b]]
        loss = state.loss_percent.get(pair(a, b), 0.0)
        if pair(a, b) in state.cut_pairs:
            lines.append(f"add rule {TABLE} {a}_{b} drop")
        if loss > 0:
            lines.append(f"add rule {TABLE} {a}_{b} numgen random mod 100000 < {round(loss * 1000)} drop")
        lines.append(f"add rule {TABLE} {a}_{b} meta mark set {queue} accept")
    lines.append(f"add rule {TABLE} forward iifname . oifname vmap {{ {', '.join(ways)} }}")
    return "\n".join(lines) + "\n"


def queue_rules(topology: Topology) -> str:
    """For iptables-restore: marked packets go to their queue. (Not every kernel has NFQUEUE for nftables.)"""
    queues = queue_numbers(topology).values()
    rules = [f"-A FORWARD -m mark --mark {queue} -j NFQUEUE --queue-num {queue}" for queue in queues]
    return "\n".join(["*filter", ":FORWARD ACCEPT [0:0]", *rules, "COMMIT"]) + "\n"


def apply(topology: Topology, state: State) -> None:
    """Make the router and the relay follow the state, and keep it."""
    storage.replace(DELAYS, json.dumps(delays(topology, state)))
    relay = recorded(RELAY)
    if relay is not None:
        relay.signal(signal.SIGHUP)
    run("ip", "netns", "exec", paths.ROUTER, "nft", "-f", "-", text=ruleset(topology, state))
    run("ip", "-n", paths.ROUTER, "-batch", "-", text="\n".join(anycast.routes(topology, state)) + "\n")
    storage.replace(paths.WAN_STATE, state.dump())


@contextlib.contextmanager
def change(topology: Topology) -> Iterator[State]:
    """The running lab's state to be changed; applied at the end, one change at a time."""
    current()
    with (paths.RUN / "wan.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        state = current()
        yield state
        apply(topology, state)


def start_relay() -> None:
    """Start the process that holds the packets, in the router, before everything else on the processors."""
    if recorded(RELAY) is not None:
        return
    log = LOGS / f"{RELAY}.log"
    log.unlink(missing_ok=True)
    command = ["nice", "-n", "-15", sys.executable, "-m", "geokube_lab.relay", str(DELAYS)]
    relay = background(RELAY, ["ip", "netns", "exec", paths.ROUTER, *command], {"PYTHONPATH": str(paths.LAB)})
    if not wait_for(lambda: not relay.alive or "ready" in log.read_text(), 20) or not relay.alive:
        raise LabError(f"the relay between the regions did not start:\n{last_lines(RELAY)}")
