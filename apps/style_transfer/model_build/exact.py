# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network in double precision and numpy alone: slow, but the same bytes on every processor.

onnxruntime's single precision differs from processor to processor in the last digits, which moves some pixels by a
grey level. Here what processors do differently is 1e-10 of a grey level.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from model_build.graph import CONTRACTING_LAYERS, EPSILON, EXPANDING_LAYERS, RESIDUAL_BLOCKS, FloatArray
from model_build.kernels import half_size_kernel, upsampling_kernel

Doubles = npt.NDArray[np.float64]

#: Rows of the result that one matrix product gives: more would need much memory.
_ROWS = 24


def _pad(value: Doubles, width: int, mode: str) -> Doubles:
    return np.pad(value, ((0, 0), (width, width), (width, width)), mode=mode)  # type: ignore[call-overload, no-any-return]


def _convolve(value: Doubles, kernel: FloatArray, stride: int = 1) -> Doubles:
    """Convolve (in, height, width) with (out, in, size, size), without padding."""
    out_channels, _, size, _ = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(value, (size, size), (1, 2))[:, ::stride, ::stride]
    height, width = windows.shape[1:3]
    matrix = kernel.reshape(out_channels, -1).astype(np.float64)
    result = np.empty((out_channels, height, width))
    for top in range(0, height, _ROWS):
        part = windows[:, top : top + _ROWS].transpose(0, 3, 4, 1, 2)
        result[:, top : top + _ROWS] = (matrix @ part.reshape(matrix.shape[1], -1)).reshape(out_channels, -1, width)
    return result


def _phases(value: Doubles) -> Doubles:
    """The four phases one after the other: (channels, height, width) to (4 * channels, height / 2, width / 2)."""
    channels, height, width = value.shape
    split = value.reshape(channels, height // 2, 2, width // 2, 2).transpose(2, 4, 0, 1, 3)
    return split.reshape(channels * 4, height // 2, width // 2)


def _enlarge(value: Doubles) -> Doubles:
    """Four channels to one of twice the size: (channels, height, width) to (channels / 4, height * 2, width * 2)."""
    channels, height, width = value.shape
    joined = value.reshape(channels // 4, 2, 2, height, width).transpose(0, 3, 1, 4, 2)
    return joined.reshape(channels // 4, height * 2, width * 2)


class ExactNetwork:
    """Paints one picture, uint8 (height, width, 3), both sides multiples of 4, in one style after the other."""

    def __init__(self, weights: Mapping[str, FloatArray], picture: npt.NDArray[np.uint8]) -> None:
        self._weights = weights
        image = picture.astype(np.float64).transpose(2, 0, 1) / 255
        self._first = _convolve(_pad(image, 4, "reflect"), weights["contract.0.w"])

    def _normalise(self, value: Doubles, layer: str, style: int) -> Doubles:
        scale = self._weights[f"{layer}.norm.gamma"][style].astype(np.float64)[:, None, None]
        shift = self._weights[f"{layer}.norm.beta"][style].astype(np.float64)[:, None, None]
        centred = value - value.mean(axis=(1, 2), keepdims=True)
        variance = (centred**2).mean(axis=(1, 2), keepdims=True)
        return centred * (scale / np.sqrt(variance + EPSILON)) + shift

    def paint(self, style: int) -> npt.NDArray[np.uint8]:
        """Return the picture in one style."""
        weights = self._weights
        value = np.maximum(self._normalise(self._first, "contract.0", style), 0)
        for layer in CONTRACTING_LAYERS[1:]:
            value = _convolve(_pad(value, 1, "reflect"), weights[f"{layer}.w"], 2)
            value = np.maximum(self._normalise(value, layer, style), 0)
        for block in range(RESIDUAL_BLOCKS):
            first, second = f"res.{block}.0", f"res.{block}.1"
            inner = self._normalise(_convolve(_pad(value, 1, "reflect"), weights[f"{first}.w"]), first, style)
            inner = _convolve(_pad(np.maximum(inner, 0), 1, "reflect"), weights[f"{second}.w"])
            value = value + self._normalise(inner, second, style)
        for layer in EXPANDING_LAYERS[:2]:
            value = _enlarge(_convolve(_pad(value, 1, "edge"), upsampling_kernel(weights[f"{layer}.w"])))
            value = np.maximum(self._normalise(value[:, 1:-1, 1:-1], layer, style), 0)
        value = _convolve(_phases(_pad(value, 4, "reflect")), half_size_kernel(weights["expand.2.w"]))
        value = 1 / (1 + np.exp(-self._normalise(_enlarge(value), "expand.2", style)))
        return (value * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
