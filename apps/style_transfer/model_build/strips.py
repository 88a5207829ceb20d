# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same network in three graphs for large pictures.

The first layer's 32 channels at full size are most of the memory (128 bytes a pixel, several times over). Its
normalisation needs mean and variance of the whole picture, so the picture is read in strips twice: once for these,
once to go through the first two layers to a quarter of the size. The rest runs on the whole. Measured at 1024 x 1024:
235 MB instead of 648 for a tenth more CPU time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from model_build.graph import (
    EPSILON,
    IMAGE_INPUT,
    NORMALISED_LAYERS,
    STYLE_INPUT,
    STYLIZED_OUTPUT,
    FloatArray,
    Network,
    model,
    style_vectors,
)

CHANNELS = 32
_PER_CHANNEL = [1, CHANNELS, 1, 1]


def build_statistics(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Mean of the first convolution over a strip and sum of the squares around it, (1, 32, 1, 1) each.

    Input ``image``: the strip with 4 more pixels on each side.
    """
    network = Network(weights)
    value = network.first_convolution(network.read_picture())
    mean = network.node("ReduceMean", [value], "mean", axes=[2, 3], keepdims=1)
    around = network.node("Sub", [value, mean], "around")
    network.node("ReduceSumSquare", [around], "squares", axes=[2, 3], keepdims=1)
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, _PER_CHANNEL) for name in ("mean", "squares")]
    return model(network, "statistics", [IMAGE_INPUT], outputs)


def build_head(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """The first two layers of a strip up to the second convolution: ``carried`` (1, 32, rows / 2, width / 2).

    Inputs: ``image`` as for the statistics, ``mean`` and ``variance`` of the whole, ``style_weights``, and ``pads``,
    ONNX's amounts by which the strip's features are reflected at the picture's own edges.
    """
    network = Network(weights)
    scale, shift = style_vectors(network, weights, NORMALISED_LAYERS[:1])["contract.0"]
    shape = network.constant("channels", np.array(_PER_CHANNEL, np.int64))
    scale = network.node("Reshape", [scale, shape], "scale")
    shift = network.node("Reshape", [shift, shape], "shift")
    epsilon = network.constant("epsilon", np.array(EPSILON, np.float32))
    deviation = network.node("Sqrt", [network.node("Add", ["variance", epsilon], "varied")], "deviation")
    factor = network.node("Div", [scale, deviation], "factor")
    offset = network.node("Sub", [shift, network.node("Mul", ["mean", factor], "centre")], "offset")
    value = network.first_convolution(network.read_picture())
    value = network.node("Mul", [value, factor], "contract.0.scaled")
    value = network.node("Add", [value, offset], "contract.0.shifted")
    value = network.node("Relu", [value], "contract.0.relu")
    value = network.node("Pad", [value, "pads"], "contract.1.padded", mode="reflect")
    network.node("Identity", [network.second_convolution(value)], "carried")
    inputs = [
        IMAGE_INPUT,
        *(helper.make_tensor_value_info(name, TensorProto.FLOAT, _PER_CHANNEL) for name in ("mean", "variance")),
        STYLE_INPUT,
        helper.make_tensor_value_info("pads", TensorProto.INT64, [8]),
    ]
    carried = helper.make_tensor_value_info("carried", TensorProto.FLOAT, [1, CHANNELS, "rows", "columns"])
    return model(network, "head", inputs, [carried])


def build_tail(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Everything after the second convolution: ``carried`` and ``style_weights`` to ``stylized``."""
    network = Network(weights)
    network.scales = style_vectors(network, weights, NORMALISED_LAYERS[1:])
    network.rest("carried")
    carried = helper.make_tensor_value_info("carried", TensorProto.FLOAT, [1, CHANNELS, "rows", "columns"])
    return model(network, "tail", [carried, STYLE_INPUT], [STYLIZED_OUTPUT])
