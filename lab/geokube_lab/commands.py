"""The commands that look at a running lab or change it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

from geokube_lab import anycast, identity, machine, network, paths, services, wan
from geokube_lab.errors import LabError
from geokube_lab.lock import exclusive
from geokube_lab.processes import recorded
from geokube_lab.progress import Progress
from geokube_lab.topology import Node, Topology
from geokube_lab.wan import State, pair


def ssh(node: Node, command: Sequence[str]) -> NoReturn:
    """Become an ssh to the machine."""
    _must_be_up()
    argv = ["ssh", *identity.ssh_options(), f"{identity.USER}@{node.public_address}", *command]
    os.execvp("ssh", argv)


def cut(topology: Topology, regions: Sequence[str]) -> None:
    """Cut a region's machines off, or two regions from each other."""
    with wan.change(topology) as state:
        match [topology.region(name).name for name in regions]:
            case [region]:
                state.cut_regions.add(region)
            case [a, b] if a != b:
                state.cut_pairs.add(pair(a, b))
            case _:
                raise LabError("cut takes one region, or two different ones")


def withdraw(topology: Topology, region: str) -> None:
    """Take a region's point of presence down: whoever it answered is answered by the next one."""
    with wan.change(topology) as state:
        state.withdrawn.add(topology.region(region).name)


def heal(topology: Topology, regions: Sequence[str]) -> None:
    """Undo cuts and losses and bring points of presence back; round trips stay as they are."""
    with wan.change(topology) as state:
        match [topology.region(name).name for name in regions]:
            case []:
                state.cut_regions.clear()
                state.cut_pairs.clear()
                state.loss_percent.clear()
                state.withdrawn.clear()
            case [region]:
                state.cut_regions.discard(region)
                state.withdrawn.discard(region)
                state.cut_pairs = {key for key in state.cut_pairs if region not in key}
                state.loss_percent = {key: value for key, value in state.loss_percent.items() if region not in key}
            case [a, b] if a != b:
                state.cut_pairs.discard(pair(a, b))
                state.loss_percent.pop(pair(a, b), None)
            case _:
                raise LabError("heal takes no region, one, or two different ones")


def set_rtt(topology: Topology, a: str, b: str, milliseconds: float) -> None:
    """Change a round trip, both ways alike."""
    if not 0 <= milliseconds <= 10_000:
        raise LabError(f"rtt: {milliseconds:g} ms is not between 0 and 10000")
    with wan.change(topology) as state:
        state.rtt_ms[_two(topology, a, b)] = milliseconds


def set_loss(topology: Topology, a: str, b: str, percent: float) -> None:
    """Lose that share of the packets in each direction."""
    if not 0 <= percent <= 100:
        raise LabError(f"loss: {percent:g} is not between 0 and 100 percent")
    with wan.change(topology) as state:
        key = _two(topology, a, b)
        state.loss_percent.pop(key, None)
        if percent:
            state.loss_percent[key] = percent


def crash(topology: Topology, node: Node) -> None:
    """Power loss."""
    _must_be_up()
    with exclusive():
        machine.crash(topology, node)


def restart(topology: Topology, name: str) -> None:
    """End one of the lab's services, start it, and wait until it answers."""
    _must_be_up()
    table = {service.name: service for service in services.table(topology)}
    if name not in table:
        raise LabError(f"there is no service {name!r}; the services are {', '.join(table)}")
    with exclusive(), Progress().step(f"{name} again"):
        table[name].stop()
        table[name].start()
        services.wait(table[name], 60)


def start(topology: Topology, node: Node) -> None:
    """Switch a machine on and wait for its sshd."""
    _must_be_up()
    progress = Progress()
    with exclusive(), progress.step(f"{node.name} up to ssh"):
        machine.start(node)
        machine.wait_for_ssh(node, 90)


def status(topology: Topology) -> int:
    """Print machines, services and links; 0 when everything runs, 1 otherwise."""
    if not network.exists(paths.ROUTER):
        print("the lab is down")
        return 1
    state = wan.current()
    up = {"network": network.complete(topology), wan.RELAY: recorded(wan.RELAY) is not None}
    for node in topology.nodes:
        up[node.name] = machine.is_on(node)
        where = f"{node.cloud} {node.zone}"
        print(f"{node.name:16} {'up' if up[node.name] else 'OFF':4} {node.public_address!s:16} {where}")
    for service in services.table(topology):
        up[service.name] = service.running() is not None
    print("\nround trips in ms (! cut, ~ lossy)")
    names = list(topology.regions)
    print("    " + "".join(f"{name:>8}" for name in names))
    for a in names:
        print(f"{a:4}" + "".join(f"{_link(state, a, b):>8}" for b in names))
    if state.cut_regions:
        print(f"machines cut off: {', '.join(sorted(state.cut_regions))}")
    for region in sorted(state.withdrawn):
        by = anycast.answering(topology, state, region)
        print(f"point of presence down: {region} ({f'answered by {by}' if by else 'nobody answers'})")
    for (a, b), percent in sorted(state.loss_percent.items()):
        print(f"loss {a}-{b}: {percent:g}% each way")
    off = [name for name, runs in up.items() if not runs]
    print(f"\nnot running: {', '.join(off)} (lab/lab up repairs)" if off else "\neverything runs")
    return 1 if off else 0


def _link(state: State, a: str, b: str) -> str:
    if a == b:
        return "-"
    mark = "!" if pair(a, b) in state.cut_pairs or {a, b} & state.cut_regions else ""
    mark += "~" if pair(a, b) in state.loss_percent else ""
    return f"{mark}{state.rtt(a, b):g}"


def _two(topology: Topology, a: str, b: str) -> tuple[str, str]:
    if a == b:
        raise LabError(f"inside {a} there is no sea: name two different regions")
    return pair(topology.region(a).name, topology.region(b).name)


def _must_be_up() -> None:
    if not network.exists(paths.ROUTER):
        raise LabError("the lab is down; `lab/lab up` brings it up")
