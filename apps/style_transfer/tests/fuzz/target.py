# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What must be true of every body, and the limits within which it must come true."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from style_transfer.engine import MIN_SIDE
from style_transfer.forms import read_form
from style_transfer.photos import decode_photo
from style_transfer.problems import Problem

BOUNDARY = b"fuzz"
CONTENT_TYPE = "multipart/form-data; boundary=fuzz"
SIZES = (256, 512, 768, 1536)
#: Processor time of one photo. The largest that are allowed take a fifth.
MAX_SECONDS = 5.0
#: Memory that one photo may take while it is decoded; of those that take much the service decodes one at a time.
MAX_MEBIBYTES = 320
STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_REFUSALS = (413, 415, 422)


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass
class Examiner:
    """Examines bodies one after the other; keeps what it saw.

    :ivar largest_mebibytes: the most memory that one body took beyond what was there before it.
    """

    executions: int = 0
    decoded: int = 0
    slowest_seconds: float = 0.0
    largest_mebibytes: float = 0.0

    def examine(self, body: bytes) -> str:
        """Return ``decoded`` or the code of the refusal; raise Broken, or whatever the decoder should not."""
        # The fuzzer's own memory grows with its corpus: only what this body adds counts.
        CLEAR_REFS.write_text("5")
        before = mebibytes("VmRSS")
        begun = time.thread_time()
        outcome = _outcome(body)
        seconds = time.thread_time() - begun
        self.executions += 1
        self.decoded += outcome == "decoded"
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        taken = mebibytes("VmHWM") - before
        self.largest_mebibytes = max(self.largest_mebibytes, taken)
        if seconds > MAX_SECONDS:
            raise Broken(f"{seconds:.1f} s of processor time for {len(body)} bytes ({outcome})")
        if taken > MAX_MEBIBYTES:
            raise Broken(f"{taken:.0f} MiB for {len(body)} bytes ({outcome})")
        return outcome

    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.executions} bodies, {self.decoded} of them decoded and the others refused; at most "
            f"{self.slowest_seconds:.2f} s and {self.largest_mebibytes:.0f} MiB each"
        )


def mebibytes(figure: str) -> float:
    """Read VmRSS, this process's memory now, or VmHWM, the most since CLEAR_REFS was told 5."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{figure}:"))
    return int(line.split()[1]) / 1024


def _outcome(body: bytes) -> str:
    try:
        if body.startswith(b"--" + BOUNDARY):
            body, fields = read_form(CONTENT_TYPE, body)
            if sum(map(len, fields.values())) > len(body) + 16 * 1024:
                raise Broken("a form grew while it was read")
        size = SIZES[zlib.crc32(body) % len(SIZES)]
        photo = decode_photo(body, size)
    except Problem as problem:
        if problem.status not in _REFUSALS or not problem.detail or len(problem.detail) > 500:
            raise Broken(f"refused with {problem.status} {problem.detail!r}") from problem
        return problem.code
    height, width, channels = photo.pixels.shape
    if (
        photo.pixels.dtype != np.uint8
        or channels != 3
        or not MIN_SIDE <= min(height, width) <= max(height, width) <= size
    ):
        raise Broken(f"decoded to {photo.pixels.shape} {photo.pixels.dtype} at size {size}")
    return "decoded"
