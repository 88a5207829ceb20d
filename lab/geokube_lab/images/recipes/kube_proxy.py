"""kube-proxy from the one program, with the packet filter's tools."""

from __future__ import annotations

from geokube_lab.binaries import KUBERNETES_VERSION
from geokube_lab.images import Image, build_image
from geokube_lab.images.recipes.kubernetes import names_layer, program_layer
from geokube_lab.images.recipes.packet_filter import packet_filter_layers

NAME, TAG = "kube-proxy", KUBERNETES_VERSION


def build() -> Image:
    layers = [program_layer(), *packet_filter_layers(), names_layer(NAME)]
    config = {
        "Entrypoint": [f"/usr/local/bin/{NAME}"],
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    }
    return build_image(NAME, TAG, layers=layers, config=config)
