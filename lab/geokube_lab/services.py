"""The lab's background services: what runs, where, and how one knows that it is ready."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from geokube_lab import paths, ready, storage
from geokube_lab.configs import dnsmasq_config, registry_config
from geokube_lab.errors import LabError
from geokube_lab.processes import Process, background, forget, last_lines, recorded
from geokube_lab.topology import Topology


@dataclass(frozen=True)
class Service:
    """One background process.

    `netns`: the network namespace in which it runs; None is the host's. `ready`: http://..., tcp://host:port (both as
    seen from `ready_netns`, or from `netns` when that is None) or path:/a/file.
    """

    name: str
    argv: tuple[str, ...]
    ready: str
    netns: str | None = None
    ready_netns: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command, with the step into the namespace."""
        return ("ip", "netns", "exec", self.netns, *self.argv) if self.netns else self.argv

    def running(self) -> Process | None:
        """The process, if it runs."""
        return recorded(self.name)

    def start(self) -> bool:
        """Start it unless it runs; whether it was started now."""
        if self.running() is not None:
            return False
        background(self.name, self.command, self.env)
        return True

    def stop(self) -> None:
        """End it if it runs."""
        process = self.running()
        if process is not None:
            process.stop()
        forget(self.name)


def table(topology: Topology) -> list[Service]:
    """All services of a lab, in the order in which they start."""
    first = next(iter(topology.regions))
    services = [
        _module("files", f"http://{topology.anycast['files']}/", pop=first),
        _module("clouds", f"tcp://127.0.0.1:{topology.ports['aws']}"),
        _module("edge", f"tcp://127.0.0.1:{topology.ports['cloudflare']}"),
    ]
    for region in topology.regions:
        pop = paths.pop_namespace(region)
        dns, registry = paths.RUN / f"dnsmasq-{region}.conf", paths.RUN / f"registry-{region}.yml"
        services += [
            Service(
                f"dns-{region}",
                ("dnsmasq", "--keep-in-foreground", f"--conf-file={dns}"),
                f"tcp://{topology.anycast['dns']}:53",
                netns=pop,
            ),
            Service(
                f"registry-{region}",
                ("docker-registry", "serve", str(registry)),
                f"http://{topology.anycast['registry']}:5000/v2/",
                netns=pop,
                env={"OTEL_TRACES_EXPORTER": "none"},
            ),
        ]
    return [service for service in services if _available(service)]


def configure(topology: Topology) -> None:
    """Write the configuration files, and end the services whose configuration changed."""
    for folder in (paths.REGISTRY, paths.FILES):
        folder.mkdir(parents=True, exist_ok=True)
    changed = set()
    for region in topology.regions:
        if storage.replace(paths.RUN / f"dnsmasq-{region}.conf", dnsmasq_config(topology)):
            changed.add(f"dns-{region}")
        if storage.replace(paths.RUN / f"registry-{region}.yml", registry_config(topology)):
            changed.add(f"registry-{region}")
    for service in table(topology):
        if service.name in changed:
            service.stop()


def _module(name: str, ready: str, pop: str | None = None) -> Service:
    return Service(
        name,
        (sys.executable, "-m", f"geokube_lab.{name}"),
        ready,
        ready_netns=paths.pop_namespace(pop) if pop else None,
        env={"PYTHONPATH": str(paths.LAB)},
    )


def _available(service: Service) -> bool:
    if service.argv[0] == sys.executable:
        module = importlib.util.find_spec(service.argv[2])
        if module is not None and module.submodule_search_locations is not None:
            module = importlib.util.find_spec(f"{service.argv[2]}.__main__")
        return module is not None
    return True


def wait(service: Service, seconds: float) -> None:
    """Wait until the service answers. Raises LabError with the end of its log."""
    namespace = service.ready_netns or service.netns
    if not ready.wait(service.ready, namespace, seconds, lambda: service.running() is not None):
        what = "does not answer" if service.running() else "ended"
        raise LabError(f"{service.name} {what}; {paths.LOGS / service.name}.log ends:\n{last_lines(service.name)}")
