"""OCI images without a container engine: layers from files, Debian packages and wheels, written as a registry has them.

A recipe is a module of `geokube_lab.images.recipes` with NAME, TAG and `build() -> Image`:

    from geokube_lab.images import Image, build_image, debian_layer, files_layer

    NAME, TAG = "hello", "1.0.0"

    def build() -> Image:
        layers = [debian_layer(["coreutils"]), files_layer({"/etc/motd": b"hello"})]
        return build_image(NAME, TAG, layers=layers, config={"Entrypoint": ["/usr/bin/cat", "/etc/motd"]})
"""

from __future__ import annotations

from geokube_lab.images.build import build_image
from geokube_lab.images.debian import debian_layer
from geokube_lab.images.layers import Directory, File, Symlink, files_layer
from geokube_lab.images.python import pip_layer
from geokube_lab.images.store import Image, Layer, Store

__all__ = [
    "Directory",
    "File",
    "Image",
    "Layer",
    "Store",
    "Symlink",
    "build_image",
    "debian_layer",
    "files_layer",
    "pip_layer",
]
