"""Traefik at the name and the path of the upstream image."""

from __future__ import annotations

from geokube_lab.binaries import TRAEFIK_VERSION, program, target
from geokube_lab.images import Directory, Image, build_image, files_layer

NAME, TAG = "library/traefik", TRAEFIK_VERSION


def build() -> Image:
    files = files_layer({"/usr/local/bin/traefik": program(target("traefik")), "/tmp": Directory(0o1777)})
    config = {
        "Entrypoint": ["/usr/local/bin/traefik"],
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "Env": ["PATH=/usr/local/bin:/usr/bin"],
    }
    return build_image(NAME, TAG, layers=[files], config=config)
