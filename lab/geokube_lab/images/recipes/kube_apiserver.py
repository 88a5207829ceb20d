"""kube-apiserver from the one program."""

from __future__ import annotations

from geokube_lab.binaries import KUBERNETES_VERSION
from geokube_lab.images import Image, build_image
from geokube_lab.images.recipes.kubernetes import names_layer, program_layer

NAME, TAG = "kube-apiserver", KUBERNETES_VERSION


def build() -> Image:
    layers = [program_layer(), names_layer(NAME)]
    return build_image(NAME, TAG, layers=layers, config={"Entrypoint": [f"/usr/local/bin/{NAME}"]})
