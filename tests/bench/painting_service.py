# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service in a process of its own, asked over HTTP: what a request costs beyond its parts, what two cores bring."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

PARTS = ("decode", "infer", "encode")


class Running:
    """A service on the given cores with a worker for each."""

    def __init__(self, cores: set[int]) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "style_transfer.cli", "serve", "--port", str(self.port)]
        variables = {**os.environ, "STYLE_TRANSFER_WORKERS": str(len(cores)), "STYLE_TRANSFER_RESULT_STORE_BYTES": "0"}
        self.workers = len(cores)
        self._process = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
        os.sched_setaffinity(self._process.pid, cores)
        deadline = time.monotonic() + 60
        while not self._ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.stop()
                raise RuntimeError("the service did not start")
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """What all its threads have used so far."""
        total = 0
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except OSError:
                continue
        return total / 1e9

    def peak_mebibytes(self) -> float:
        """The most memory that it ever had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

    def stop(self) -> None:
        """End it as Kubernetes does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


class Caller:
    """One client with one connection; each of its photos is new to the service."""

    _number = 0
    _lock = threading.Lock()

    def __init__(self, service: Running, photo: bytes, size: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        self._photo = photo
        self._size = size

    def paint(self) -> tuple[float, dict[str, float]]:
        """Give the milliseconds until the whole answer was here and those that the service names for its stages."""
        with Caller._lock:
            Caller._number += 1
            number = Caller._number
        # What follows the end of a JPEG is not decoded, but makes another result id.
        body = self._photo + number.to_bytes(8, "big")
        begun = time.perf_counter()
        self._connection.request(
            "POST", f"/v1/stylize?size={self._size}&styles=19", body, {"Content-Type": "image/jpeg"}
        )
        answer = self._connection.getresponse()
        answer.read()
        milliseconds = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise RuntimeError(f"the service answered {answer.status}")
        stages = re.findall(r"(\w+);dur=([\d.]+)", answer.headers["Server-Timing"])
        return milliseconds, {name: float(value) for name, value in stages}


def paintings(service: Running, photo: bytes, size: int, seconds: float) -> tuple[float, float]:
    """Paintings a second with as many callers as keep the workers busy, and the service's CPU milliseconds for each."""
    callers = [Caller(service, photo, size) for _ in range(service.workers + 1)]
    done = [0] * len(callers)
    failures: list[Exception] = []
    cpu, begun = service.cpu_seconds(), time.perf_counter()

    def call(index: int) -> None:
        try:
            while time.perf_counter() - begun < seconds:
                callers[index].paint()
                done[index] += 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(callers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    elapsed, cpu = time.perf_counter() - begun, service.cpu_seconds() - cpu
    return sum(done) / elapsed, cpu / sum(done) * 1000


def busy_seconds() -> float:
    """Seconds that all cores together were not idle, since the machine started (others' theft of them included)."""
    fields = [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")
