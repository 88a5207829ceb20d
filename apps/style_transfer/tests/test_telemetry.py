# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""onnxruntime reports its use to its makers unless told not to: the service must keep it silent, and it does.

Both processes run where there is no network, under strace. The one without the service shows that the watch notices:
some seconds after its session was made it looks for its makers' host, and at once it leaves an identity in HOME.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
SERVICE = """
import style_transfer.server
from style_transfer.engine import Engine
import numpy, time
Engine().stylize(numpy.zeros((64, 64, 3), numpy.uint8), numpy.eye(26, dtype=numpy.float32)[0])
"""
PLAIN = """
import onnxruntime, time
from importlib import resources
model = resources.files("style_transfer") / "assets" / "remainder.onnx"
onnxruntime.InferenceSession(model.read_bytes(), providers=["CPUExecutionProvider"])
"""
ALONE = ["unshare", "--map-root-user", "--net"]


@dataclass(frozen=True)
class Watched:
    """A process, what it calls of the network, and the home it was given."""

    trace: Path
    home: Path

    def network_calls(self) -> list[str]:
        lines = self.trace.read_text().splitlines() if self.trace.exists() else []
        return [line for line in lines if "AF_INET" in line]

    def ready(self) -> bool:
        return (self.home / "ready").exists()

    def files(self) -> list[Path]:
        return [path for path in self.home.rglob("*") if path.is_file() and path.name != "ready"]


@contextmanager
def watched(folder: Path, name: str, program: str) -> Iterator[Watched]:
    """Run a program until the block is left, with an environment that holds nothing which could silence it."""
    home = folder / name
    home.mkdir()
    found = Watched(folder / f"{name}.trace", home)
    tell = "\nimport os, pathlib\npathlib.Path(os.environ['HOME'], 'ready').touch()\ntime.sleep(600)"
    strace = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto,sendmsg,sendmmsg", "-o", str(found.trace)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(SOURCE)}
    process = subprocess.Popen(
        [*ALONE, *strace, sys.executable, "-c", program + tell], env=environment, start_new_session=True
    )
    try:
        yield found
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: object, seconds: float) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing was noticed: the watch, or onnxruntime, is not what it was"
        time.sleep(0.2)


def test_nobody_is_told_what_the_service_does(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody have a network of one's own")
    with watched(tmp_path, "service", SERVICE) as service:
        wait_for(service.ready, 120)
        # The other one begins later, so that the service has had as long, and longer, when that one is heard.
        with watched(tmp_path, "plain", PLAIN) as plain:
            wait_for(plain.network_calls, 180)
            assert plain.files()
        assert service.network_calls() == []
        assert service.files() == []
