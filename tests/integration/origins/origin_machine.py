"""A machine's folder, an authority and, if its program is compiled, the real Traefik that watches the folder."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.modules import origin_tls
from geokube_lab.binaries import program, target
from geokube_lab.edge.authority import Authority
from geokube_lab.errors import LabError

NAME = "style.geokube.test"


@dataclass
class Origin:
    """The module with a machine's folder, and the port of its listener."""

    folder: Path
    port: int

    def ensure(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module once."""
        params = {
            "hostnames": [NAME], "certificate": None, "client_authority": None, "minimum_tls_version": "1.2",
            "directory": str(self.folder), "mount": str(self.folder), "user": os.getuid(), "address": "127.0.0.1",
            "port": self.port, "wait": 0, **options,
        }  # fmt: skip
        return origin_tls.ensure(params, check_mode)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """A machine on which nothing listens."""
    return Origin(tmp_path / "ingress", free_port())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority", "ca", "An authority")


@pytest.fixture
def served(origin: Origin, tmp_path: Path) -> Iterator[Origin]:
    """A machine with the real Traefik, which watches the folder and has the role's own settings below it."""
    try:
        binary = program(target("traefik"))
    except LabError as error:
        pytest.skip(str(error))
    cluster = origin.folder / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "tls.yml").write_text("tls:\n  options:\n    default:\n      minVersion: VersionTLS12\n")
    arguments = [
        f"--entrypoints.websecure.address=127.0.0.1:{origin.port}",
        "--entrypoints.websecure.http.tls=true",
        f"--providers.file.directory={origin.folder}",
        "--log.level=DEBUG",
    ]
    log = tmp_path / "traefik.log"
    with log.open("wb") as output, subprocess.Popen([str(binary), *arguments], stdout=output, stderr=output) as process:
        yield origin
        process.terminate()
