"""Whether something answers, as seen from a network namespace."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from geokube_lab import kernel, paths

Result = TypeVar("Result")


def inside(namespace: str | None, work: Callable[[], Result]) -> Result:
    """Run a function in a network namespace (None: this one), in a thread that enters it alone."""
    if namespace is None:
        return work()
    results: list[Result] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            kernel.enter_network(paths.NETNS / namespace)
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def answers(where: str, timeout: float = 2.0) -> bool:
    """Try once. http://host:port/path wants a status below 500; tcp://host:port a connection; ssh://host:port a banner;
    path:/a/file the file."""
    parts = urlsplit(where)
    host, port = parts.hostname or "", parts.port
    try:
        if parts.scheme == "path":
            return Path(parts.path).exists()
        if parts.scheme == "http":
            connection = http.client.HTTPConnection(host, port or 80, timeout=timeout)
            connection.request("GET", parts.path or "/")
            return connection.getresponse().status < 500
        with socket.create_connection((host, port or 22), timeout=timeout) as connected:
            return parts.scheme != "ssh" or connected.recv(4) == b"SSH-"
    except (OSError, http.client.HTTPException):
        return False


def wait(where: str, namespace: str | None, seconds: float, alive: Callable[[], bool] = lambda: True) -> bool:
    """Try until it answers; False when it does not in time or when what should answer is gone."""

    def attempts() -> bool:
        deadline = time.monotonic() + seconds
        while not answers(where):
            if time.monotonic() > deadline or not alive():
                return False
            time.sleep(0.1)
        return True

    return inside(namespace, attempts)
