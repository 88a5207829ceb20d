# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four clouds in a process of their own, for benchmarks: any number of machines, any latency, requests counted.

moto needs about 2 ms an instance for an answer that it has not given before, and the emulator keeps the answer. So run
what is to be measured once at latency 0 before the clock starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAB = Path(__file__).resolve().parents[2] / "lab"
if str(LAB) not in sys.path:
    sys.path.insert(0, str(LAB))

from geokube_lab.clouds.credentials import environment  # noqa: E402


@dataclass(frozen=True)
class ServedFleet:
    """A fleet that is being served.

    ``providers`` is the inventory source's mapping of that name (endpoints, regions, projects, folders);
    ``environment`` holds the credentials; ``endpoints`` are by cloud.
    """

    providers: Mapping[str, Any]
    environment: Mapping[str, str]
    endpoints: Mapping[str, str]
    control: str
    pid: int

    def set_latency(self, seconds: float) -> None:
        """Adds this many seconds to each request from now on."""
        self._ask("PUT", "all/latency", {"seconds": seconds})

    def requests(self) -> dict[str, int]:
        """Requests by cloud since the last ``reset_requests``."""
        return {cloud: summary["requests"] for cloud, summary in self._ask("GET", "").items()}

    def reset_requests(self) -> None:
        """Sets the counts to 0."""
        self._ask("DELETE", "all/requests")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.control}/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            document: dict[str, Any] = json.load(answer)
            return document


@contextmanager
def serve_fleet(count: int, latency: float = 0.0) -> Iterator[ServedFleet]:
    """Serves ``count`` machines over four clouds on free ports, ``latency`` seconds added to each request."""
    argv = [sys.executable, "-m", "geokube_lab.clouds", "serve", "--free-ports"]
    argv += ["--machines", str(count), "--latency", str(latency)]
    variables = {**os.environ, "PYTHONPATH": str(LAB)}
    with subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the emulators did not start: exit status {process.wait()}")
            told = json.loads(line)
            providers, control = told.pop("providers"), told.pop("control")
            yield ServedFleet(providers, environment(), told, control, process.pid)
        finally:
            process.terminate()
            process.wait(10)
