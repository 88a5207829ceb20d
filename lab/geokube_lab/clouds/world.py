# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""All four clouds together, as one thing to start, break and stop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from geokube_lab.clouds import credentials
from geokube_lab.clouds.control import Control
from geokube_lab.clouds.emulator import Emulator
from geokube_lab.clouds.machine import CLOUDS, GCP_PROJECT, YANDEX_FOLDER, Machine

if TYPE_CHECKING:
    from geokube_lab.clouds.aws import Aws
    from geokube_lab.clouds.digitalocean import DigitalOcean
    from geokube_lab.clouds.gcp import ComputeEngine
    from geokube_lab.clouds.yandex import Yandex


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports; 0 takes any free one."""

    aws: int = 0
    gcp: int = 0
    digitalocean: int = 0
    yandex: int = 0
    control: int = 0


class Clouds:
    """Serves the machines until ``stop``; a context manager.

    ``only`` starts some of the clouds (the others cost no import). ``latency`` in seconds is added to each request.
    ``projects`` and ``folders`` are accounts of Compute Engine and Yandex that exist without a machine.
    """

    def __init__(
        self,
        machines: Iterable[Machine] = (),
        *,
        ports: Ports | None = None,
        only: Collection[str] = CLOUDS,
        latency: float = 0.0,
        projects: Iterable[str] = (),
        folders: Iterable[str] = (),
    ) -> None:
        unknown = set(only) - set(CLOUDS)
        if unknown:
            raise ValueError(f"no cloud {', '.join(sorted(unknown))}; there are {', '.join(CLOUDS)}")
        self._machines = tuple(machines)
        self._emulators: dict[str, Emulator] = {}
        self.control = Control(self._emulators, lambda: self._machines, self.load, (ports or Ports()).control)
        try:
            self._build(ports or Ports(), only, projects, folders)
            self.load(self._machines)
        except BaseException:
            self.stop()
            raise
        for emulator in self._emulators.values():
            emulator.faults.latency = latency

    def _build(self, ports: Ports, only: Collection[str], projects: Iterable[str], folders: Iterable[str]) -> None:
        if "aws" in only:
            from geokube_lab.clouds.aws import Aws

            self._emulators["aws"] = Aws(ports.aws)
        if "gcp" in only:
            from geokube_lab.clouds.gcp import ComputeEngine

            self._emulators["gcp"] = ComputeEngine(ports.gcp, projects=projects)
        if "digitalocean" in only:
            from geokube_lab.clouds.digitalocean import DigitalOcean

            self._emulators["digitalocean"] = DigitalOcean(ports.digitalocean)
        if "yandex" in only:
            from geokube_lab.clouds.yandex import Yandex

            self._emulators["yandex"] = Yandex(ports.yandex, folders=folders)

    @property
    def emulators(self) -> Mapping[str, Emulator]:
        """The emulators that were asked for, by name."""
        return self._emulators

    @property
    def aws(self) -> Aws:
        """AWS: EC2, Route 53, STS."""
        return self._emulators["aws"]  # type: ignore[return-value]

    @property
    def gcp(self) -> ComputeEngine:
        """Compute Engine."""
        return self._emulators["gcp"]  # type: ignore[return-value]

    @property
    def digitalocean(self) -> DigitalOcean:
        """DigitalOcean."""
        return self._emulators["digitalocean"]  # type: ignore[return-value]

    @property
    def yandex(self) -> Yandex:
        """Yandex Cloud."""
        return self._emulators["yandex"]  # type: ignore[return-value]

    def load(self, machines: Sequence[Machine]) -> None:
        """Lists these machines from now on."""
        for emulator in self._emulators.values():
            emulator.load(machines)

    def heal(self) -> None:
        """Takes every fault and latency away and sets the counts to 0."""
        for emulator in self._emulators.values():
            emulator.faults.clear()
            emulator.faults.reset_count()

    def environment(self) -> dict[str, str]:
        """The credentials in the environment variables that each cloud's users know."""
        return credentials.environment()

    def providers(self) -> dict[str, dict[str, Any]]:
        """The ``providers`` of an inventory source that reads these clouds."""
        machines = [machine for emulator in self._emulators.values() for machine in emulator.machines]
        regions = sorted({machine.cloud_region for machine in machines if machine.cloud == "aws"})
        projects = sorted({machine.account for machine in machines if machine.cloud == "gcp"}) or [GCP_PROJECT]
        folders = sorted({machine.account for machine in machines if machine.cloud == "yandex"}) or [YANDEX_FOLDER]
        options: dict[str, dict[str, Any]] = {
            "aws": {"regions": regions},
            "gcp": {"projects": projects},
            "digitalocean": {},
            "yandex": {"folders": folders, "insecure_transport": True},
        }
        return {name: {**options[name], "endpoint": emulator.endpoint} for name, emulator in self._emulators.items()}

    def start(self) -> Self:
        """Starts every emulator and the control endpoint."""
        for emulator in self._emulators.values():
            emulator.start()
        self.control.start()
        return self

    def stop(self) -> None:
        """Stops everything, also what was never started."""
        for emulator in self._emulators.values():
            emulator.stop()
        self.control.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
