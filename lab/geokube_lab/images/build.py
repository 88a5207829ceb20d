"""Images from layers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from geokube_lab.images.store import Image, Layer, Store

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def build_image(
    name: str,
    tag: str,
    *,
    layers: Sequence[Layer],
    config: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    store: Store | None = None,
) -> Image:
    """Write an image of these layers, lowest first, into the store.

    `name` has no host (`coredns/coredns`). `config` is the `config` part of the OCI image configuration
    (https://github.com/opencontainers/image-spec/blob/main/config.md): Entrypoint, Cmd, Env, User, WorkingDir,
    ExposedPorts, StopSignal. The same layers and configuration give the same digest.
    """
    store = store or Store()
    settings = dict(config or {})
    if labels:
        settings["Labels"] = dict(labels)
    configuration = {
        "created": "1970-01-01T00:00:00Z",
        "architecture": "amd64",
        "os": "linux",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "geokube-lab images"} for _ in layers],
    }
    content = _canonical(configuration)
    manifest = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": store.put(content), "size": len(content)},
            "layers": [{"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size} for layer in layers],
        }
    )
    blobs = (store.put(content), *dict.fromkeys(layer.digest for layer in layers))
    image = Image(name, tag, store.put(manifest), blobs)
    store.remember_image(image, len(manifest))
    return image
