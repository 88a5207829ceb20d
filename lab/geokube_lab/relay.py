"""The ocean: holds packets that cross between regions for half a round trip, then lets them go.

The router's nftables rules hand each ordered pair of regions to a queue of its own (NFQUEUE). The kernel keeps the
packets; this process sees their numbers only and answers, in batches, when they are due. Where this process does not
run, nothing crosses.

    python -m geokube_lab.relay DELAYS

DELAYS is a JSON file {"<queue>": milliseconds one way, ...}; SIGHUP reads it again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections import deque
from pathlib import Path

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 3 << 8
_PACKET, _CONFIG, _VERDICT_BATCH = _SUBSYSTEM | 0, _SUBSYSTEM | 2, _SUBSYSTEM | 3
_REQUEST, _ACK = 0x1, 0x4
_ERROR = 2
_CFG_CMD, _CFG_PARAMS, _CFG_MAXLEN, _CFG_MASK, _CFG_FLAGS = 1, 2, 3, 4, 5
_BIND = 1
_COPY_META = 1
_FLAG_GSO = 1 << 2
_VERDICT_HDR = 2
_ACCEPT = 1
_MAX_PACKETS = 200_000
_SO_RCVBUFFORCE = 33
_HEADER = struct.Struct("=IHHII")
_RECEIVE_BYTES = 64 * 1024
# What is due must not wait for the end of a flood.
_BURST = 256
# Packets that are due within this many seconds go with the batch: a wake-up takes about as long.
_SLACK = 0.0001


def message(kind: int, queue: int, payload: bytes, flags: int = _REQUEST) -> bytes:
    """A netlink message to one queue (nfnetlink_queue)."""
    body = struct.pack("!BBH", socket.AF_UNSPEC, 0, queue) + payload
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 0, 0) + body


def attribute(kind: int, payload: bytes) -> bytes:
    """A netlink attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def verdict(queue: int, identifier: int) -> bytes:
    """Accept every packet of the queue up to and including this one."""
    return message(_VERDICT_BATCH, queue, attribute(_VERDICT_HDR, struct.pack("!II", _ACCEPT, identifier)))


class Line:
    """One direction between two regions: packets leave in the order in which they came.

    Times are in seconds of the monotonic clock, delays in seconds.
    """

    def __init__(self, queue: int, delay: float) -> None:
        self.queue = queue
        self.delay = delay
        self._waiting: deque[tuple[float, int]] = deque()
        self._last_due = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def arrive(self, identifier: int, now: float) -> None:
        """A packet came. A shorter delay than before never lets it overtake."""
        self._last_due = max(self._last_due, now + self.delay)
        self._waiting.append((self._last_due, identifier))

    def shorten(self, now: float) -> None:
        """After a change of the delay: nothing that waits is held longer than a packet that comes now."""
        limit = now + self.delay
        if self._last_due > limit:
            self._waiting = deque((min(due, limit), identifier) for due, identifier in self._waiting)
            self._last_due = limit

    @property
    def due(self) -> float | None:
        """When the next packet leaves; None when none waits."""
        return self._waiting[0][0] if self._waiting else None

    def depart(self, now: float) -> int | None:
        """Take out all that is due; the last one's number, which stands for all before it."""
        last = None
        while self._waiting and self._waiting[0][0] <= now:
            last = self._waiting.popleft()[1]
        return last


class Relay:
    """All lines over one netlink socket in the network namespace of the caller."""

    def __init__(self, delays: Path) -> None:
        self._delays = delays
        self._lines: dict[int, Line] = {}
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        self._socket.bind((0, 0))
        self.reload()
        self._socket.setblocking(False)

    def reload(self) -> None:
        """Read the delays again; bind queues that are new."""
        now = time.monotonic()
        for name, milliseconds in json.loads(self._delays.read_text()).items():
            queue, delay = int(name), float(milliseconds) / 1000
            line = self._lines.get(queue)
            if line is None:
                self._bind(queue)
                self._lines[queue] = Line(queue, delay)
            else:
                line.delay = delay
                line.shorten(now)

    def _bind(self, queue: int) -> None:
        for payload in (
            attribute(_CFG_CMD, struct.pack("!BxH", _BIND, socket.AF_INET)),
            attribute(_CFG_PARAMS, struct.pack("!IB", 0, _COPY_META)),
            attribute(_CFG_MAXLEN, struct.pack("!I", _MAX_PACKETS)),
            attribute(_CFG_MASK, struct.pack("!I", _FLAG_GSO)) + attribute(_CFG_FLAGS, struct.pack("!I", _FLAG_GSO)),
        ):
            self._socket.setblocking(True)
            self._socket.send(message(_CONFIG, queue, payload, _REQUEST | _ACK))
            self._acknowledged(queue)
            self._socket.setblocking(False)

    def _acknowledged(self, queue: int) -> None:
        # Packets of queues that are bound already may come in between.
        while True:
            data = self._socket.recv(_RECEIVE_BYTES)
            kind = _HEADER.unpack_from(data)[1]
            if kind == _ERROR:
                code = -struct.unpack_from("=i", data, _HEADER.size)[0]
                if code:
                    raise OSError(code, f"queue {queue}: {os.strerror(code)}")
                return
            self._arrived(data, time.monotonic())

    def _arrived(self, data: bytes, now: float) -> None:
        # Of a packet's message: 16 bytes header, 2 + 2 bytes family and queue, then the packet header attribute first.
        if len(data) >= 28 and data[4:6] == _PACKET_TYPE:
            queue, identifier = int.from_bytes(data[18:20], "big"), int.from_bytes(data[24:28], "big")
            line = self._lines.get(queue)
            if line is not None:
                line.arrive(identifier, now)

    def _receive(self) -> None:
        receive, arrived = self._socket.recv, self._arrived
        with contextlib.suppress(BlockingIOError):
            for _ in range(_BURST):
                try:
                    data = receive(_RECEIVE_BYTES)
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    print("relay: overrun, packets were dropped", file=sys.stderr, flush=True)
                    continue
                arrived(data, time.monotonic())

    def _release(self) -> None:
        now = time.monotonic() + _SLACK
        for line in self._lines.values():
            identifier = line.depart(now)
            if identifier is not None:
                with contextlib.suppress(FileNotFoundError):
                    self._socket.send(verdict(line.queue, identifier))

    def pass_packets(self, wake: int) -> None:
        """Hold and release packets until the descriptor `wake` becomes readable."""
        descriptor = self._socket.fileno()
        while True:
            due = min((line.due for line in self._lines.values() if line.due is not None), default=None)
            timeout = None if due is None else max(0.0, due - time.monotonic())
            ready = select.select((descriptor, wake), (), (), timeout)[0]
            if descriptor in ready:
                self._receive()
            self._release()
            if wake in ready:
                return


_PACKET_TYPE = struct.pack("=H", _PACKET)


def main(argv: list[str]) -> int:
    """Run until SIGTERM."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    relay = Relay(Path(argv[1]))
    print("relay: ready", flush=True)
    while True:
        relay.pass_packets(reader)
        numbers = os.read(reader, 64)
        if signal.SIGTERM in numbers:
            return 0
        try:
            relay.reload()
        except (OSError, ValueError) as error:
            print(f"relay: {argv[1]}: {error}; the old delays stay", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
