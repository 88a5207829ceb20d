# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network on onnxruntime: sessions for the whole process, one thread an inference."""

from __future__ import annotations

import os
import threading
from importlib import resources
from typing import cast

import numpy as np
import numpy.typing as npt

# onnxruntime reports its use to its makers by default since 1.29; it reads this when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: The network halves the picture twice.
SIDE_MULTIPLE = 4
#: Its reflected borders need at least this many pixels.
MIN_SIDE = 16
#: Larger pictures go through the first layers in strips, for a third of the memory and a tenth more time.
WHOLE_PIXELS = 300_000
#: Of still larger ones, only one at a time is in the network, and its memory is handed back.
ALONE_PIXELS = 1_200_000
#: Rows of a strip: the first layer's channels of so few stay in the processor's cache.
STRIP_ROWS = 16
#: The first convolution reaches so far.
REACH = 4
CHANNELS = 32


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
        self._whole = _session("whole")
        self._statistics = _session("statistics")
        self._head = _session("head")
        self._tail = _session("tail")
        self._alone = threading.Lock()
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
        if height * width <= WHOLE_PIXELS:
            feeds = {"image": np.ascontiguousarray(picture), "style_weights": style}
            result = cast(Picture, self._whole.run(None, feeds)[0])
        elif height * width <= ALONE_PIXELS:
            result = self._in_strips(picture, style, None)
        else:
            with self._alone:
                result = self._in_strips(picture, style, self._shrink)
        return result[:height, :width]

    def _in_strips(self, picture: Picture, style: Floats, options: onnxruntime.RunOptions | None) -> Picture:
        height, width = picture.shape[:2]
        padded = np.pad(picture, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="reflect")
        mean, variance = self._measure(padded, height, width)
        carried = np.empty((1, CHANNELS, height // 2, width // 2), np.float32)
        for top in range(0, height, STRIP_ROWS):
            end = min(top + STRIP_ROWS, height)
            # The second convolution looks one row up: into the strip above, or reflected at the picture's edge.
            first = max(0, top - 1)
            feeds = {
                "image": padded[first : end + 2 * REACH],
                "mean": mean,
                "variance": variance,
                "style_weights": style,
                "pads": np.array([0, 0, int(top == 0), 1, 0, 0, 0, 0], np.int64),
            }
            carried[:, :, top // 2 : end // 2] = self._head.run(None, feeds)[0]
        return cast(Picture, self._tail.run(None, {"carried": carried, "style_weights": style}, options)[0])

    def _measure(self, padded: Picture, height: int, width: int) -> tuple[Floats, Floats]:
        """Mean and variance of each channel of the first convolution, merged over strips (Chan et al. 1979)."""
        count = 0
        mean = np.zeros((1, CHANNELS, 1, 1))
        squares = np.zeros((1, CHANNELS, 1, 1))
        for top in range(0, height, STRIP_ROWS):
            end = min(top + STRIP_ROWS, height)
            strip_mean, strip_squares = self._statistics.run(None, {"image": padded[top : end + 2 * REACH]})
            more = (end - top) * width
            apart = strip_mean - mean
            mean += apart * more / (count + more)
            squares += strip_squares + apart**2 * count * more / (count + more)
            count += more
        return mean.astype(np.float32), (squares / count).astype(np.float32)
