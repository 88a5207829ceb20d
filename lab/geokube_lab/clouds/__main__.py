# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m geokube_lab.clouds``: serves the clouds, and breaks and heals clouds that are being served."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from geokube_lab.clouds.faults import KINDS
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.clouds.machine import CLOUDS, STATES
from geokube_lab.clouds.world import Clouds, Ports
from geokube_lab.errors import LabError
from geokube_lab.topology import load

CONTROL_PORT = 5605


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (LabError, ValueError, OSError) as error:
        print(f"clouds: {error}", file=sys.stderr)
        return 1


def _serve(options: argparse.Namespace) -> int:
    topology = load(options.topology)
    machines = fleet(options.machines) if options.machines is not None else from_topology(topology)
    ports = Ports()
    if not options.free_ports:
        ports = Ports(**{cloud: topology.ports[cloud] for cloud in CLOUDS}, control=options.control_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Clouds(machines, ports=ports, only=options.only, latency=options.latency) as clouds:
        ready = {name: emulator.endpoint for name, emulator in clouds.emulators.items()}
        print(json.dumps({**ready, "control": clouds.control.endpoint, "providers": clouds.providers()}), flush=True)
        stop.wait()
    return 0


def _fault(options: argparse.Namespace) -> int:
    names = ("kind", "times", "page", "scope", "operation", "status", "retry_after", "message", "seconds")
    fault = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return _ask(options, "POST", f"{options.cloud}/faults", fault)


def _heal(options: argparse.Namespace) -> int:
    return _ask(options, "DELETE", f"{options.cloud}/faults")


def _latency(options: argparse.Namespace) -> int:
    return _ask(options, "PUT", f"{options.cloud}/latency", {"seconds": options.seconds})


def _machine(options: argparse.Namespace) -> int:
    if options.remove:
        return _ask(options, "DELETE", f"machines/{options.name}")
    return _ask(options, "PUT", f"machines/{options.name}", {"state": options.state})


def _reset(options: argparse.Namespace) -> int:
    return _ask(options, "POST", "machines") or _ask(options, "DELETE", "all/faults")


def _show(options: argparse.Namespace) -> int:
    return _ask(options, "GET", "")


def _ask(options: argparse.Namespace, method: str, path: str, body: dict[str, Any] | None = None) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{options.control_port}/{path}",
        data=json.dumps(body).encode() if body is not None else None,
        method=method,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(json.dumps(json.load(answer), indent=2))
    except urllib.error.HTTPError as error:
        raise LabError(json.load(error)["error"]) from error
    except urllib.error.URLError as error:
        raise LabError(f"nothing answers on port {options.control_port}: is the lab up? ({error.reason})") from error
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m geokube_lab.clouds", description=__doc__)
    parser.add_argument("--control-port", type=int, default=CONTROL_PORT, help="port of the control endpoint (5605)")
    parser.set_defaults(run=_serve, topology=None, machines=None, latency=0.0, only=CLOUDS, free_ports=False)
    commands = parser.add_subparsers()

    serve = commands.add_parser("serve", help="serve the lab's machines until a signal (the default)")
    serve.add_argument("--topology", help="a topology file other than lab/topology.yml")
    serve.add_argument("--machines", type=int, help="serve a made-up fleet of this many machines instead")
    serve.add_argument("--latency", type=float, default=0.0, help="seconds added to each request")
    serve.add_argument("--only", nargs="+", choices=CLOUDS, default=CLOUDS, help="serve these clouds only")
    serve.add_argument("--free-ports", action="store_true", help="take any free ports; the first line says which")
    serve.set_defaults(run=_serve)

    fault = commands.add_parser("fault", help="break a cloud")
    fault.add_argument("cloud", choices=(*CLOUDS, "all"))
    fault.add_argument("kind", choices=tuple(KINDS))
    fault.add_argument("--times", type=int, help="how many requests are hit (default: all)")
    fault.add_argument("--page", type=int, help="only this page, from 1")
    fault.add_argument("--scope", help="only this zone, region, project or folder")
    fault.add_argument("--operation", help="only this call, for example instances.list")
    fault.add_argument("--status", type=int, help="the error's HTTP status")
    fault.add_argument("--retry-after", help="value of the Retry-After header")
    fault.add_argument("--message", help="the error's message")
    fault.add_argument("--seconds", type=float, help="step of a drip, delay of slow")
    fault.set_defaults(run=_fault)

    heal = commands.add_parser("heal", help="take all faults and latency of a cloud away")
    heal.add_argument("cloud", choices=(*CLOUDS, "all"), nargs="?", default="all")
    heal.set_defaults(run=_heal)

    latency = commands.add_parser("latency", help="add seconds to each request")
    latency.add_argument("cloud", choices=(*CLOUDS, "all"))
    latency.add_argument("seconds", type=float)
    latency.set_defaults(run=_latency)

    machine = commands.add_parser("machine", help="change what is listed of a machine")
    machine.add_argument("name")
    change = machine.add_mutually_exclusive_group(required=True)
    change.add_argument("--state", choices=STATES)
    change.add_argument("--remove", action="store_true")
    machine.set_defaults(run=_machine)

    commands.add_parser("reset", help="list what was there at the start, without faults").set_defaults(run=_reset)
    commands.add_parser("show", help="endpoints, requests and faults").set_defaults(run=_show)
    return parser


if __name__ == "__main__":
    sys.exit(main())
