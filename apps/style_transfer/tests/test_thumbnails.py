# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The styles' pictures have the same bytes whatever the processor that made them can do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from model_build.assets import published_network
from model_build.exact import ExactNetwork
from model_build.graph import read_weights
from model_build.thumbnails import landscape

PAINT = """
import hashlib, onnx
from model_build.assets import build_graphs, published_network
from model_build.exact import ExactNetwork
from model_build.graph import read_weights
from model_build.thumbnails import landscape
weights = read_weights(onnx.load_model_from_string(published_network()))
network = ExactNetwork(weights, landscape())
made = [network.paint(style).tobytes() for style in (0, 19)] + list(build_graphs(weights).values())
print([hashlib.sha256(content).hexdigest() for content in made])
"""


def test_the_exact_network_is_the_published_one() -> None:
    picture = landscape()
    exact = ExactNetwork(read_weights(onnx.load_model_from_string(published_network())), picture)
    session = onnxruntime.InferenceSession(published_network(), providers=["CPUExecutionProvider"])
    image = (picture.astype(np.float32) / 255).transpose(2, 0, 1)[None]
    for style in (5, 17):
        weights = np.zeros(26, np.float32)
        weights[style] = 1
        published = session.run(None, {"image": image, "style_weights": weights})[0][0].transpose(1, 2, 0) * 255
        assert np.abs(exact.paint(style) - published).max() < 0.51


def test_an_older_processor_paints_the_same_bytes() -> None:
    """numpy and its matrix product are held to what processors of 2009 can do."""
    older = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4", "OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1"}

    def painted(**more: str) -> str:
        command = [sys.executable, "-c", PAINT]
        folder = Path(__file__).resolve().parents[1]
        done = subprocess.run(
            command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=True
        )
        assert not done.stderr
        return done.stdout

    assert painted() == painted(**older)
