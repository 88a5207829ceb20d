# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real photos (public-domain or free ones that scikit-image ships) and one running service for all tests."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import skimage
from PIL import Image
from style_transfer.engine import Engine

PHOTOS = Path(skimage.__file__).parent / "data"


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture in a format of Pillow's."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(content: bytes) -> np.ndarray:
    """The pixels of an encoded picture as RGB."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something that must come; how fast is not the question, for the machine may be busy."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """The service as its users start it: the command, in a process of its own."""

    def __init__(self, port: int = 0, **environment: str) -> None:
        self.port = port or free_port()
        command = [sys.executable, "-m", "style_transfer.cli", "serve", "--port", str(self.port)]
        variables = {**os.environ, "GEOKUBE_REGION": "test", **environment}
        # A file, not a pipe: a pipe that nobody reads is full after some hundred requests.
        self._folder = tempfile.TemporaryDirectory(prefix="style-transfer-log-")
        self._log = Path(self._folder.name) / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, env=variables, stderr=log)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"the service did not start: {self.stop()}")

    def metric(self, name: str) -> float:
        """The value of one of the service's metrics that has no labels."""
        text = self.client.get("/metrics").text
        return float(re.search(rf"^style_transfer_{name} (\S+)$", text, re.MULTILINE).group(1))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._folder.cleanup()

    def stop(self) -> str:
        """End it as Kubernetes does; returns its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)
        log = self._log.read_text()
        self._folder.cleanup()
        return log


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server(STYLE_TRANSFER_MAX_BODY_BYTES="3000000", STYLE_TRANSFER_BODY_SECONDS="1")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def client(server: Server) -> httpx.Client:
    return server.client


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="session")
def rocket() -> bytes:
    return (PHOTOS / "rocket.jpg").read_bytes()


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    return Image.open(PHOTOS / "coffee.png").convert("RGB")
