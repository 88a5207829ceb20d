"""`lab up`: from nothing, or from whatever is there, to a lab that has checked itself."""

from __future__ import annotations

import shutil
import time

from geokube_lab import (
    authority,
    client,
    down,
    identity,
    machine,
    measure,
    network,
    paths,
    preflight,
    rootfs,
    services,
    storage,
    wan,
)
from geokube_lab.errors import LabError
from geokube_lab.lock import exclusive
from geokube_lab.processes import recorded
from geokube_lab.progress import Progress
from geokube_lab.services import Service
from geokube_lab.topology import Node, Topology

_BOOT_SECONDS = 90.0
_SERVICE_SECONDS = 60.0
_MEASUREMENTS = 6
# The links have been measured since the last start.
_VERIFIED = paths.RUN / "verified"


def up(topology: Topology, progress: Progress) -> None:
    """Bring the lab up, or repair it. Raises LabError."""
    preflight.check_commands()
    with exclusive():
        if not network.exists(paths.ROUTER):
            # A killed `up` may have left anything; the machines' disks are kept.
            down.stop_everything()
            try:
                preflight.check_host(topology)
            except LabError:
                shutil.rmtree(paths.RUN)
                raise
            progress.line("the host has what the lab needs")
        _same_world(topology)
        identity.ensure_key()
        paths.CONTROL.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority.ensure()
        client.write_files(topology)
        changed = _network(topology, progress)
        booting = _start_machines(topology, progress)
        starting = _start_services(topology)
        if booting:
            with progress.step(f"{len(booting)} machines up to ssh: {', '.join(node.name for node in booting)}"):
                for node in booting:
                    machine.wait_for_ssh(node, _BOOT_SECONDS)
        if starting:
            with progress.step(f"services {', '.join(service.name for service in starting)}"):
                for service in starting:
                    services.wait(service, _SERVICE_SECONDS)
        if changed or booting or not _VERIFIED.exists():
            _verify(topology, progress)


def _same_world(topology: Topology) -> None:
    """Machines may be added to a running lab; its networks may not be others all of a sudden."""
    path, now = paths.RUN / "world.json", network.fingerprint(topology)
    if network.exists(paths.ROUTER) and path.exists() and path.read_text() != now:
        raise LabError(
            "the lab that runs has other regions, networks or round trips: `lab/lab down`, then `lab/lab up`"
        )
    storage.replace(path, now)


def _network(topology: Topology, progress: Progress) -> bool:
    if network.complete(topology) and recorded(wan.RELAY) is not None and paths.WAN_STATE.exists():
        return False
    with progress.step(f"router and {2 * len(topology.regions) + 1} namespaces"):
        _VERIFIED.unlink(missing_ok=True)
        if set(network.build(topology)) & {paths.pop_namespace(region) for region in topology.regions}:
            # They listen in a namespace that is no longer there.
            for service in services.table(topology):
                service.stop()
        state = wan.current() if paths.WAN_STATE.exists() else wan.fresh(topology)
        wan.apply(topology, state)
        wan.start_relay()
    return True


def _start_machines(topology: Topology, progress: Progress) -> list[Node]:
    off = [node for node in topology.nodes if not machine.is_on(node)]
    new = [node for node in topology.nodes if not machine.folder(node.name).is_dir()]
    if new:
        template = rootfs.ensure(progress.detail)
        for node in new:
            machine.create(topology, node, template)
    identity.write_known_hosts(topology)
    for node in off:
        # Of a machine that lost its power supply or its network, something may still be there.
        machine.crash(topology, node)
        machine.start(node)
    return off


def _start_services(topology: Topology) -> list[Service]:
    services.configure(topology)
    return [service for service in services.table(topology) if service.start()]


def _verify(topology: Topology, progress: Progress) -> None:
    state = wan.current()
    if state.broken:
        progress.line("links are not measured: some are cut, lossy or down (lab/lab status)")
        return
    expected = {(a, b): state.rtt(a, b) for a, b in topology.pairs}
    for attempt in range(1, _MEASUREMENTS + 1):
        wrong = measure.deviations(expected, measure.round_trips(topology))
        if not wrong:
            _VERIFIED.touch()
            progress.line(f"all {len(expected)} links measured, each within {measure.TOLERANCE:.0%} of its round trip")
            return
        progress.detail(f"measurement {attempt}: {len(wrong)} links are off, measuring again")
        time.sleep(attempt / 2)
    listed = "\n".join(f"  {a} -> {b}: {what}" for (a, b), what in wrong.items())
    raise LabError(f"the links are not what topology.yml says, after {_MEASUREMENTS} measurements:\n{listed}")
