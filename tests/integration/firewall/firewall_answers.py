# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that answers on every port named, by TCP and UDP over both families, with a word; `ready` when it does."""

from __future__ import annotations

import selectors
import socket
import sys


def listeners(port: int) -> list[socket.socket]:
    """Give a TCP and a UDP socket for both families."""
    found = []
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        one = socket.socket(socket.AF_INET6, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.bind(("::", port))
        if kind == socket.SOCK_STREAM:
            one.listen(16)
        found.append(one)
    return found


def answer(one: socket.socket, word: bytes) -> None:
    """Answer whoever asks there now."""
    if one.type == socket.SOCK_DGRAM:
        one.sendto(word, one.recvfrom(2048)[1])
        return
    connection, _address = one.accept()
    with connection:
        connection.sendall(word)


def main(word: str, *ports: str) -> None:
    """Answer until killed."""
    with selectors.DefaultSelector() as selector:
        for port in ports:
            for one in listeners(int(port)):
                selector.register(one, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _events in selector.select():
                answer(key.fileobj, word.encode())  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
