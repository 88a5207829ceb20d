# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network on onnxruntime: sessions for the whole process, one thread an inference."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from importlib import resources
from typing import cast

import numpy as np
import numpy.typing as npt

# onnxruntime reports its use to its makers by default since 1.29; it reads this when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

from style_transfer.strips import CHANNELS, Memory, Moments, Strip, Strips

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: The network halves the picture twice.
SIDE_MULTIPLE = 4
#: Its reflected borders need at least this many pixels.
MIN_SIDE = 16
#: The memory that a picture of more pixels took is handed back after it ...
SHRINK_PIXELS = 600_000
#: ... and of still larger ones, only one at a time is in the network.
ALONE_PIXELS = 1_200_000
#: The first convolution reaches so far.
REACH = 4
#: The mean colour need not be exact: every so many rows and columns give it.
COLOUR_STEP = 8


def _session(name: str) -> onnxruntime.InferenceSession:
    model = resources.files("style_transfer") / "assets" / f"{name}.onnx"
    if not model.is_file():
        raise FileNotFoundError("the package has no network in it: install it with pip, which builds the network")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # A plan of the memory per shape would keep the peak of the largest picture ever seen.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])


class Engine:
    """Stylises pictures. Threads may share it: onnxruntime's run is thread-safe and releases the interpreter."""

    def __init__(self) -> None:
        self._first = _session("first")
        self._second = _session("second")
        self._third = _session("third")
        self._remainder = _session("remainder")
        self._alone = threading.Lock()
        self._memory = Memory()
        self._shrink = onnxruntime.RunOptions()
        self._shrink.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def stylize(self, picture: Picture, style: Floats) -> Picture:
        """Return the stylised picture.

        :param picture: (height, width, 3) uint8, sRGB, sides of at least 16 pixels.
        :param style: 26 float weights that sum to 1.
        :returns: the same shape and type as ``picture``.
        """
        height, width = picture.shape[:2]
        if min(height, width) < MIN_SIDE:
            raise ValueError(f"sides must be at least {MIN_SIDE} pixels, not {width} x {height}")
        below, right = -height % SIDE_MULTIPLE, -width % SIDE_MULTIPLE
        if below or right:
            picture = np.pad(picture, ((0, below), (0, right), (0, 0)), mode="reflect")
        if height * width > ALONE_PIXELS:
            with self._alone:
                result = self._run(picture, style, self._shrink)
        else:
            result = self._run(picture, style, self._shrink if height * width > SHRINK_PIXELS else None)
        return result[:height, :width]

    def _run(self, picture: Picture, style: Floats, options: onnxruntime.RunOptions | None) -> Picture:
        carried = self._contract(picture, style)
        return cast(Picture, self._remainder.run(None, {"carried": carried, "style_weights": style}, options)[0])

    def _contract(self, picture: Picture, style: Floats) -> Floats:
        """The three convolutions that bring the picture to a quarter of its size, (1, 32, height / 4, width / 4)."""
        height, width = picture.shape[:2]
        moments = Moments()
        features = Strips(self._memory, height, width)
        for strip in self._convolve(picture, features):
            moments.add(strip.values, around_zero=True)
        halved, before, moments = features.halved(), moments, Moments()
        for strip in _halve(self._second, features, halved, before, style):
            moments.add(strip.values, around_zero=False)
        del features
        whole = np.empty((1, CHANNELS, height // 4, width // 4), np.float32)
        for strip in _halve(self._third, halved, halved.halved(), moments, style):
            whole[:, :, strip.top : strip.end] = strip.values
        return whole

    def _convolve(self, picture: Picture, features: Strips) -> Iterator[Strip]:
        """Fill the strips with the first convolution, and give each when it is done."""
        padded = np.pad(picture, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="reflect")
        colour = picture[::COLOUR_STEP, ::COLOUR_STEP].mean(axis=(0, 1)).astype(np.float32).reshape(1, 3, 1, 1)
        binding = self._first.io_binding()
        binding.bind_cpu_input("colour", colour)
        for strip in features:
            binding.bind_cpu_input("image", padded[strip.top : strip.end + 2 * REACH])
            strip.bind_output(binding)
            self._first.run_with_iobinding(binding)
            yield strip


def _halve(
    session: onnxruntime.InferenceSession, before: Strips, after: Strips, moments: Moments, style: Floats
) -> Iterator[Strip]:
    """Normalise the strips by their moments, convolve them to half the size, and give each when it is done."""
    inputs = {"mean_before": moments.mean, "variance_before": moments.variance, "style_weights": style}
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_cpu_input(name, value)
    # Above the first row is, by reflection, the second one.
    above = before[0].values[:, :, 1:2]
    for strip, result in zip(before, after, strict=True):
        row = np.ascontiguousarray(above)
        binding.bind_cpu_input("above", row)
        binding.bind_cpu_input("strip", strip.values)
        result.bind_output(binding)
        session.run_with_iobinding(binding)
        yield result
        above = strip.values[:, :, -1:]
