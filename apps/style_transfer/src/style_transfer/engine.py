# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network on onnxruntime: one session for the process, one thread an inference."""

from __future__ import annotations

import os
from importlib import resources
from typing import cast

import numpy as np
import numpy.typing as npt

# onnxruntime reports its use to its makers by default since 1.29; it reads this when it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

Picture = npt.NDArray[np.uint8]

#: The network halves the picture twice.
SIDE_MULTIPLE = 4
#: Its reflected borders need at least this many pixels.
MIN_SIDE = 16


def model_bytes() -> bytes:
    """Return the network written by the build; FileNotFoundError says how to build it."""
    model = resources.files("style_transfer") / "assets" / "multistyle26.onnx"
    if not model.is_file():
        raise FileNotFoundError("the package has no network in it: install it with pip, which builds the network")
    return model.read_bytes()


class Engine:
    """Stylises pictures. Threads may share it: onnxruntime's run is thread-safe and releases the interpreter."""

    def __init__(self, model: bytes | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A plan of the memory per shape would keep the peak of the largest picture ever seen.
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model if model is not None else model_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._run_options = onnxruntime.RunOptions()
        # Hand the scratch memory of a large picture back instead of keeping it for ever.
        self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def stylize(self, picture: Picture, style: npt.NDArray[np.float32]) -> Picture:
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
        feeds = {"image": np.ascontiguousarray(picture), "style_weights": style}
        result = cast(Picture, self._session.run(None, feeds, self._run_options)[0])
        return result[:height, :width]
