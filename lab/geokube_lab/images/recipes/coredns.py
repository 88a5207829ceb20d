"""CoreDNS from the one program, at the path of the upstream image."""

from __future__ import annotations

from geokube_lab.binaries.targets import COREDNS_VERSION
from geokube_lab.images import Image, Symlink, build_image, files_layer
from geokube_lab.images.recipes.kubernetes import PROGRAM, program_layer

NAME, TAG = "coredns/coredns", COREDNS_VERSION


def build() -> Image:
    layers = [program_layer(), files_layer({"/coredns": Symlink(PROGRAM)})]
    config = {"Entrypoint": ["/coredns"], "WorkingDir": "/"}
    return build_image(NAME, TAG, layers=layers, config=config)
