# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port forward over ssh to an API server that listens on a private address only."""

from __future__ import annotations

import base64
import http.client
import os
import shlex
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 90


class ForwardError(Exception):
    """Says why there is no forward."""


@dataclass(frozen=True)
class Forward:
    """Where the forward goes and over which ssh."""

    executable: str
    destination: str
    port: int | None
    key: str | None
    arguments: str
    socket_path: str
    local_port: int
    remote_address: str
    remote_port: int
    log: str
    timeout: int

    def _base(self) -> list[str]:
        argv = [self.executable, *shlex.split(self.arguments)]
        argv += ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={self.timeout}"]
        if self.port:
            argv += ["-p", str(self.port)]
        if self.key:
            argv += ["-i", str(Path(self.key).expanduser())]
        return argv

    def start_argv(self) -> list[str]:
        """Give the command that starts the forward and goes to the background."""
        target = f"127.0.0.1:{self.local_port}:{self.remote_address}:{self.remote_port}"
        # The first value that ssh meets wins: ours stand before those of the user.
        first = ["-f", "-N", "-M", "-S", self.socket_path, "-o", "ControlMaster=yes", "-o", "ControlPersist=yes"]
        first += ["-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"]
        base = self._base()
        return [base[0], *first, "-L", target, *base[1:], self.destination]

    def _control(self, command: str) -> int:
        argv = [self.executable, "-S", self.socket_path, "-O", command, self.destination]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return 255
        return done.returncode

    def alive(self) -> bool:
        """Say whether ssh is there and the local port is open."""
        if self._control("check") != 0:
            return False
        try:
            socket.create_connection(("127.0.0.1", self.local_port), timeout=5).close()
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Start ssh in the background. Raises ForwardError with what ssh said."""
        if len(self.socket_path) > SOCKET_PATH_LIMIT:
            raise ForwardError(
                f"socket: {self.socket_path} has {len(self.socket_path)} characters and ssh can use "
                f"{SOCKET_PATH_LIMIT}: give a shorter path"
            )
        self._control("exit")
        with open(self.log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            try:
                # ssh in the background keeps its descriptors: pipes would never close.
                status = subprocess.run(
                    self.start_argv(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=self.timeout * 3,
                    check=False,
                    start_new_session=True,
                ).returncode
            except subprocess.TimeoutExpired:
                raise ForwardError(f"ssh to {self.destination} took over {self.timeout * 3} s") from None
            except OSError as error:
                raise ForwardError(f"{self.executable}: {error.strerror}") from None
        if status != 0:
            said = Path(self.log).read_text(encoding="utf-8", errors="replace").strip()[-500:]
            raise ForwardError(f"ssh to {self.destination} ended with {status}: {said or 'it said nothing'}")


class _NamedConnection(http.client.HTTPSConnection):
    """Connects to 127.0.0.1 and expects the certificate of another name."""

    def __init__(self, port: int, name: str, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__("127.0.0.1", port, context=context, timeout=timeout)
        self._name = name
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)


def unready(port: int, name: str, authority: str, timeout: float) -> str:
    """Ask the API server whether it is ready; give what is wrong, or an empty text.

    `authority` is the cluster's CA certificate, base64 of PEM as in a kubeconfig.
    """
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(authority).decode("ascii"))
        connection = _NamedConnection(port, name, context, timeout)
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
        connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    # 401 and 403 come from an API server that does not let the nameless look: it is ours and it answers.
    return "" if status in (200, 401, 403) else f"GET /readyz answered {status}"
