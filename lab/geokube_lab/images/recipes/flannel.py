"""flanneld from the one program, where the upstream image has it, with its CNI plugin and the packet filter's tools."""

from __future__ import annotations

from geokube_lab.binaries import program, target
from geokube_lab.binaries.targets import FLANNEL_VERSION
from geokube_lab.images import Image, Symlink, build_image, files_layer
from geokube_lab.images.recipes.kubernetes import PROGRAM, program_layer
from geokube_lab.images.recipes.packet_filter import packet_filter_layers

NAME, TAG = "flannel/flannel", FLANNEL_VERSION


def build() -> Image:
    files = files_layer({"/opt/bin/flanneld": Symlink(PROGRAM), "/flannel": program(target("flannel"))})
    layers = [program_layer(), *packet_filter_layers(), files]
    config = {
        "Entrypoint": ["/opt/bin/flanneld"],
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    }
    return build_image(NAME, TAG, layers=layers, config=config)
