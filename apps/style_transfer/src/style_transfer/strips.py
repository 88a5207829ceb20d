# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A layer's features for a whole picture, kept in strips of rows, and their mean and variance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]

CHANNELS = 32
#: Rows of a strip at full size: the features of so few stay in the processor's cache. A multiple of 4.
STRIP_ROWS = 16
#: A block of more floats than this, the first layer's of 600,000 pixels, goes back to the system.
KEPT_FLOATS = CHANNELS * 600_000


@dataclass(frozen=True)
class Strip:
    """Rows ``top`` to ``end``: ``values`` are (1, 32, end - top, width), contiguous."""

    top: int
    end: int
    values: Floats

    def bind_output(self, binding: onnxruntime.IOBinding) -> None:
        """Have a graph write its features here."""
        binding.bind_output("features", "cpu", 0, np.float32, self.values.shape, self.values.ctypes.data)


class Memory(threading.local):
    """Each thread's blocks of memory, by name: kept for the next picture, but those of large ones."""

    def __init__(self) -> None:
        self._kept: dict[str, Floats] = {}

    def block(self, name: str, count: int) -> Floats:
        """Give ``count`` floats that hold anything; those given before under the name are no longer valid."""
        if count > KEPT_FLOATS:
            self._kept.pop(name, None)
            return np.empty(count, np.float32)
        if name not in self._kept or self._kept[name].size < count:
            # Fresh memory costs as much time as all the copying in it.
            self._kept[name] = np.empty(count, np.float32)
        return self._kept[name][:count]


class Strips:
    """All strips of a layer, in one block of memory."""

    def __init__(self, memory: Memory, height: int, width: int, rows: int = STRIP_ROWS) -> None:
        self.height, self.width, self.rows = height, width, rows
        self._memory = memory
        self._block = memory.block(f"{rows} rows", CHANNELS * height * width)

    def __len__(self) -> int:
        return -(-self.height // self.rows)

    def __getitem__(self, index: int) -> Strip:
        top = index * self.rows
        end = min(top + self.rows, self.height)
        row = CHANNELS * self.width
        return Strip(top, end, self._block[top * row : end * row].reshape(1, CHANNELS, end - top, self.width))

    def __iter__(self) -> Iterator[Strip]:
        return (self[index] for index in range(len(self)))

    def halved(self) -> Strips:
        """The strips of the next layer."""
        return Strips(self._memory, self.height // 2, self.width // 2, self.rows // 2)


class Moments:
    """Mean and variance of each channel, merged over strips (Chan et al. 1979)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = np.zeros(CHANNELS)
        self._squares = np.zeros(CHANNELS)

    def add(self, values: Floats, around_zero: bool) -> None:
        """Take in a strip's values; when they are far from 0 beside their deviation, that must be said."""
        rows = values.reshape(CHANNELS, -1)
        count = rows.shape[1]
        mean = np.einsum("ij->i", rows).astype(np.float64) / count
        if around_zero:
            squares = np.einsum("ij,ij->i", rows, rows) - count * mean**2
        else:
            around = rows - mean.astype(np.float32)[:, None]
            squares = np.einsum("ij,ij->i", around, around)
        apart = mean - self._mean
        total = self._count + count
        self._mean += apart * count / total
        self._squares += squares + apart**2 * self._count * count / total
        self._count = total

    @property
    def mean(self) -> Floats:
        """(32,)."""
        return self._mean.astype(np.float32)

    @property
    def variance(self) -> Floats:
        """(32,), not negative."""
        return np.maximum(self._squares / self._count, 0).astype(np.float32)
