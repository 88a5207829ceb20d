# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that belong to another network namespace than the process that uses them."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geokube_lab.errors import LabError

CLONE_NEWNET = 0x40000000
FOLDER = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise LabError(f"cannot enter a network namespace: {os.strerror(code)} (root is needed)")


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """Make the calling thread's new sockets belong to this namespace; None changes nothing."""
    if namespace is None:
        yield
        return
    try:
        target = os.open(FOLDER / namespace, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise LabError(f"network namespace {namespace}: {error.strerror} (is the lab up?)") from error
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(target)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(target)
        os.close(own)


def listen(namespace: str | None, address: str, port: int) -> socket.socket:
    """Give a listening TCP socket of that namespace; LabError names the address when it cannot be had."""
    with inside(namespace):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(512)
    except OSError as error:
        server.close()
        raise LabError(
            f"cannot listen on {address}:{port} in {namespace or 'this network'}: {error.strerror}"
        ) from error
    return server
