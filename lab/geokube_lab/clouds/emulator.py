# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the four emulators have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from geokube_lab.clouds.faults import Faults
from geokube_lab.clouds.machine import Machine


class Emulator(ABC):
    """One cloud's API on one loopback port."""

    name: str

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._machines: tuple[Machine, ...] = ()

    @property
    def machines(self) -> tuple[Machine, ...]:
        """The machines that it lists."""
        return self._machines

    def load(self, machines: Sequence[Machine]) -> None:
        """Lists these machines, and only those of this cloud, from now on."""
        mine = tuple(machine for machine in machines if machine.cloud == self.name)
        seen: dict[tuple[str, str], Machine] = {}
        for machine in mine:
            key = (machine.account, machine.instance_id)
            if key in seen:
                raise ValueError(f"{self.name}: {seen[key].name} and {machine.name} have one id, {machine.instance_id}")
            seen[key] = machine
        self._machines = mine
        self._loaded()

    @abstractmethod
    def _loaded(self) -> None:
        """Prepares the answers for the machines that have just been loaded."""

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """What a client is given as the endpoint: a URL, or host:port for gRPC."""

    @abstractmethod
    def start(self) -> None:
        """Starts to serve."""

    @abstractmethod
    def stop(self) -> None:
        """Stops to serve and closes every connection."""
