"""The container that holds a pod's namespaces."""

from __future__ import annotations

from geokube_lab.binaries import program, target
from geokube_lab.binaries.targets import PAUSE_VERSION
from geokube_lab.images import Image, build_image, files_layer

NAME, TAG = "pause", PAUSE_VERSION


def build() -> Image:
    layers = [files_layer({"/pause": program(target("pause"))})]
    return build_image(NAME, TAG, layers=layers, config={"Entrypoint": ["/pause"], "User": "65535:65535"})
