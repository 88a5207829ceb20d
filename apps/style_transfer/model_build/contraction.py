# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The three contracting layers, one graph each, for a strip of rows at a time.

Their 32 channels at full and half size are most of the network's memory and, since each of its operators would go
through all of them, much of its time. A strip stays in the processor's cache from a layer's normalisation through the
next one's convolution to the sums over what that gave, which alone is kept for the whole picture, because its own
normalisation needs the mean and variance of all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from model_build.graph import CHANNELS, EPSILON, STYLE_INPUT, FloatArray, GraphWriter, floats


def build_first(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """The first convolution.

    Inputs: ``image``, uint8 (rows + 8, width + 8, 3), a strip with 4 more pixels on each side; ``colour`` (1, 3, 1, 1),
    about the mean of the picture: without it the features are around 0, so that their variance follows from the sums
    of them and of their squares. The normalisation takes any constant away. Output: ``features`` (1, 32, rows, width).
    """
    graph = GraphWriter(weights)
    value = graph.node("Cast", ["image"], "image.float", to=TensorProto.FLOAT)
    value = graph.node("Transpose", [value], "image.chw", perm=[2, 0, 1])
    value = graph.node("Unsqueeze", [value, graph.constant("axis.0", [0])], "image.nchw")
    value = graph.node("Sub", [value, "colour"], "image.centred")
    graph.convolve(value, "contract.0", weights["contract.0.w"] * np.float32(1 / 255), "features")
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["padded_rows", "padded_columns", 3])
    return graph.model(
        "first", [image, floats("colour", [1, 3, 1, 1])], [floats("features", [1, CHANNELS, "rows", "columns"])]
    )


def build_contraction(weights: Mapping[str, FloatArray], layer: str, before: str) -> onnx.ModelProto:
    """Normalise a strip of the layer ``before``, then convolve it to half the size.

    Inputs: ``strip`` (1, 32, rows, width), rows even; ``above`` (1, 32, 1, width), the row above it; ``mean_before``
    and ``variance_before`` (32) of the whole picture; ``style_weights``. Output: ``features`` (1, 32, rows / 2,
    width / 2).
    """
    graph = GraphWriter(weights)
    scale, shift = graph.style([before])[before]
    value = graph.node("Concat", ["above", "strip"], "together", axis=2)
    value = graph.node(
        "BatchNormalization", [value, scale, shift, "mean_before", "variance_before"], "normal", epsilon=EPSILON
    )
    value = graph.node("Relu", [value], "positive")
    # The stride of 2 begins a row above and a column to the left, and ends with the last ones.
    value = graph.pad(value, (0, 1, 0, 0), "reflect", "padded")
    graph.convolve(value, layer, weights[f"{layer}.w"], "features", 2)
    inputs = [
        floats("above", [1, CHANNELS, 1, "columns"]),
        floats("strip", [1, CHANNELS, "rows", "columns"]),
        floats("mean_before", [CHANNELS]),
        floats("variance_before", [CHANNELS]),
        STYLE_INPUT,
    ]
    return graph.model(layer, inputs, [floats("features", [1, CHANNELS, "half_rows", "half_columns"])])
