# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP endpoint on loopback through which a test breaks and heals running emulators."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.http import Server
from geokube_lab.clouds.machine import Machine
from geokube_lab.clouds.messages import Request, Response, json_response


class Control:
    """The endpoint.

    ``GET /`` tells everything. ``POST /CLOUD/faults`` with a fault adds it, ``DELETE /CLOUD/faults`` takes all away,
    ``PUT /CLOUD/latency`` with ``{"seconds": 0.2}`` delays each request, ``DELETE /CLOUD/requests`` sets the count to
    0; CLOUD may be ``all``. ``PUT /machines/NAME`` with ``{"state": "stopped"}`` and ``DELETE /machines/NAME`` change
    what is listed, ``POST /machines`` lists again what was there at the start.
    """

    def __init__(
        self,
        emulators: Mapping[str, Emulator],
        initial: Callable[[], Sequence[Machine]],
        load: Callable[[Sequence[Machine]], None],
        port: int = 0,
    ) -> None:
        self.faults = Faults()
        self._emulators = emulators
        self._initial = initial
        self._load = load
        self._server = Server(self, port=port)

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Starts to serve."""
        self._server.start()

    def stop(self) -> None:
        """Stops to serve."""
        self._server.stop()

    def call(self, request: Request) -> Call:
        """Not subject to faults."""
        return Call("control")

    def failure(self, request: Request, fault: Fault) -> Response:
        """Not subject to faults."""
        return _problem(fault.status, "fault")

    def respond(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request."""
        try:
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                return _problem(400, "the body must be a JSON object")
            match [request.method, *request.path.strip("/").split("/")]:
                case ["GET", ""]:
                    return json_response(200, {name: _summary(each) for name, each in self._emulators.items()})
                case ["POST", "machines"]:
                    self._load(self._initial())
                    return json_response(200, {})
                case [("PUT" | "DELETE") as method, "machines", name]:
                    return self._change(name, None if method == "DELETE" else str(body.get("state", "")))
                case [method, cloud, subject]:
                    return self._faults(method, cloud, subject, body)
        except ValueError as error:
            return _problem(400, str(error))
        return _problem(404, f"there is no {request.method} {request.path}")

    def _faults(self, method: str, cloud: str, subject: str, body: Mapping[str, Any]) -> Response:
        if cloud != "all" and cloud not in self._emulators:
            return _problem(404, f"there is no cloud {cloud!r}; there are {', '.join(self._emulators)} and all")
        chosen = self._emulators.values() if cloud == "all" else [self._emulators[cloud]]
        match method, subject:
            case "POST", "faults":
                fault = Fault.from_mapping(body)
                for emulator in chosen:
                    emulator.faults.add(fault)
            case "DELETE", "faults":
                for emulator in chosen:
                    emulator.faults.clear()
            case "PUT", "latency":
                seconds = float(body.get("seconds", 0))
                for emulator in chosen:
                    emulator.faults.latency = seconds
            case "DELETE", "requests":
                for emulator in chosen:
                    emulator.faults.reset_count()
            case _:
                return _problem(404, f"there is no {method} {subject}")
        return json_response(200, {emulator.name: _summary(emulator) for emulator in chosen})

    def _change(self, name: str, state: str | None) -> Response:
        machines = [machine for emulator in self._emulators.values() for machine in emulator.machines]
        if not any(machine.name == name for machine in machines):
            return _problem(404, f"there is no machine {name!r}")
        if state is None:
            self._load([machine for machine in machines if machine.name != name])
        else:
            self._load([machine.with_state(state) if machine.name == name else machine for machine in machines])
        return json_response(200, {})


def _summary(emulator: Emulator) -> dict[str, Any]:
    faults = emulator.faults
    return {
        "endpoint": emulator.endpoint,
        "machines": len(emulator.machines),
        "requests": faults.requests,
        "by_operation": faults.by_operation(),
        "peak": faults.peak,
        "latency": faults.latency,
        "faults": faults.active(),
    }


def _problem(status: int, message: str) -> Response:
    return json_response(status, {"error": message})
