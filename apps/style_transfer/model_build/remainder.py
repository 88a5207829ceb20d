# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that follows the third convolution, for the whole picture: it works at a quarter of the size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from model_build.graph import (
    CHANNELS,
    CONTRACTING_LAYERS,
    EPSILON,
    EXPANDING_LAYERS,
    RESIDUAL_BLOCKS,
    RESIDUAL_LAYERS,
    STYLE_INPUT,
    FloatArray,
    GraphWriter,
    floats,
)
from model_build.kernels import half_size_kernel, upsampling_kernel


class _Remainder(GraphWriter):
    def __init__(self, weights: Mapping[str, FloatArray]) -> None:
        super().__init__(weights)
        self._scales = self.style((CONTRACTING_LAYERS[-1], *RESIDUAL_LAYERS, *EXPANDING_LAYERS))

    def normalise(self, source: str, layer: str, activation: str | None) -> str:
        """InstanceNormalization with the layer's style, then the activation."""
        scale, shift = self._scales[layer]
        result = self.node("InstanceNormalization", [source, scale, shift], f"{layer}.norm", epsilon=EPSILON)
        return self.node(activation, [result], f"{layer}.{activation.lower()}") if activation else result

    def residual(self, before: str, block: int) -> str:
        """Two convolutions whose result is added to what went in."""
        value = before
        for half, activation in ((0, "Relu"), (1, None)):
            layer = f"res.{block}.{half}"
            value = self.pad(value, (1, 1, 1, 1), "reflect", f"{layer}.padded")
            value = self.convolve(value, layer, self.weights[f"{layer}.w"], f"{layer}.conv")
            value = self.normalise(value, layer, activation)
        return self.node("Add", [before, value], f"res.{block}.sum")

    def enlarge(self, value: str, layer: str) -> str:
        """Twice the size, then a 3x3 convolution, as one 2x2 convolution at the smaller size."""
        value = self.pad(value, (1, 1, 1, 1), "edge", f"{layer}.padded")
        value = self.convolve(value, layer, upsampling_kernel(self.weights[f"{layer}.w"]), f"{layer}.conv")
        value = self.node("DepthToSpace", [value], f"{layer}.enlarged", blocksize=2, mode="CRD")
        inside = [
            self.constant("crop.from", [1, 1]),
            self.constant("crop.to", [-1, -1]),
            self.constant("crop.axes", [2, 3]),
        ]
        value = self.node("Slice", [value, *inside], f"{layer}.inside")
        return self.normalise(value, layer, "Relu")

    def last(self, value: str, layer: str) -> str:
        """The 9x9 convolution to 3 channels, at half the size so that more of a vector register is used."""
        value = self.pad(value, (4, 4, 4, 4), "reflect", f"{layer}.padded")
        value = self.node("SpaceToDepth", [value], f"{layer}.phases", blocksize=2)
        value = self.convolve(value, layer, half_size_kernel(self.weights[f"{layer}.w"]), f"{layer}.conv")
        value = self.node("DepthToSpace", [value], f"{layer}.enlarged", blocksize=2, mode="CRD")
        return self.normalise(value, layer, "Sigmoid")

    def write_picture(self, value: str) -> None:
        """From 0..1 to bytes, in the order of a decoded photo."""
        value = self.node("Mul", [value, self.constant("white", 255, np.float32)], "stylized.scaled")
        value = self.node("Add", [value, self.constant("half", 0.5, np.float32)], "stylized.rounded")
        value = self.node("Cast", [value], "stylized.bytes", to=TensorProto.UINT8)
        value = self.node("Squeeze", [value, self.constant("axis.0", [0])], "stylized.chw")
        self.node("Transpose", [value], "stylized", perm=[1, 2, 0])


def build_remainder(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Inputs: ``carried`` (1, 32, height / 4, width / 4), what the third convolution gave; ``style_weights``.

    Output: ``stylized``, uint8 (height, width, 3).
    """
    graph = _Remainder(weights)
    value = graph.normalise("carried", CONTRACTING_LAYERS[-1], "Relu")
    for block in range(RESIDUAL_BLOCKS):
        value = graph.residual(value, block)
    for layer in EXPANDING_LAYERS[:-1]:
        value = graph.enlarge(value, layer)
    graph.write_picture(graph.last(value, EXPANDING_LAYERS[-1]))
    stylized = helper.make_tensor_value_info("stylized", TensorProto.UINT8, ["height", "width", 3])
    return graph.model("remainder", [floats("carried", [1, CHANNELS, "rows", "columns"]), STYLE_INPUT], [stylized])
