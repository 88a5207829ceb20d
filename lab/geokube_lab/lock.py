"""One change of the lab at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock

from geokube_lab import paths


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lab's lock; wait for another holder and say so."""
    path = paths.RUN / "lock"
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            print("another lab command is at work, waiting for it", file=sys.stderr, flush=True)
            flock(descriptor, LOCK_EX)
        # `down` removes the file together with its folder.
        if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
            break
        os.close(descriptor)
    try:
        yield
    finally:
        os.close(descriptor)
