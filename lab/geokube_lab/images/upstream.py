"""Images as their makers publish them, copied by skopeo, for machines that reach their registries."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from geokube_lab import sources
from geokube_lab.errors import LabError
from geokube_lab.images.store import Image, Store

COPY_SECONDS = 900


@dataclass(frozen=True)
class Upstream:
    """The registry of an image, and the source (geokube_lab.sources) that says whether it is reached."""

    registry: str
    source: str


KUBERNETES = Upstream("registry.k8s.io", sources.KUBERNETES_IMAGES)
DOCKER_HUB = Upstream("docker.io", sources.DOCKER_HUB_IMAGES)
UPSTREAM = {
    "cockroachdb/cockroach": DOCKER_HUB,
    "coredns/coredns": KUBERNETES,
    "flannel/flannel": DOCKER_HUB,
    "kube-apiserver": KUBERNETES,
    "kube-controller-manager": KUBERNETES,
    "kube-proxy": KUBERNETES,
    "kube-scheduler": KUBERNETES,
    "library/traefik": DOCKER_HUB,
    "pause": KUBERNETES,
}


def wanted(name: str) -> Upstream | None:
    """Where the image of this name is copied from on this machine; None when its recipe builds it."""
    upstream = UPSTREAM.get(name)
    return upstream if upstream is not None and sources.real(upstream.source) else None


def copy_image(registry: str, name: str, tag: str, store: Store | None = None, *, verify_tls: bool = True) -> Image:
    """The image `registry`/`name`:`tag` for linux/amd64, copied into the store unless it is there."""
    store = store or Store()
    origin = f"{registry}/{name}:{tag}"
    for image in store.images():
        if image.origin == origin and all(store.blob_path(blob).exists() for blob in (*image.blobs, image.digest)):
            return image
    if shutil.which("skopeo") is None:
        raise LabError(f"skopeo copies {origin} and is not installed: apt-get install skopeo")
    with tempfile.TemporaryDirectory(dir=store.directory, prefix=".copy-") as scratch:
        layout = Path(scratch) / "layout"
        command = ["skopeo", "copy", "--retry-times", "3", "--override-os", "linux", "--override-arch", "amd64"]
        if not verify_tls:
            # Said otherwise, it would win over what this machine's registries.conf says of a mirror.
            command.append("--src-tls-verify=false")
        command += [f"docker://{origin}", f"oci:{layout}:{tag}"]
        _run(command, origin)
        image = _take(layout, name, tag, origin, store)
    return image


def _run(command: list[str], origin: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COPY_SECONDS)
    except subprocess.TimeoutExpired:
        reason = f"no end after {COPY_SECONDS} s"
    else:
        if done.returncode == 0:
            return
        reason = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"skopeo ended with {done.returncode}"
    raise LabError(
        f"{origin} cannot be copied: {reason}. Try again, or set {sources.SETTING}=packages to build it here"
    )


def _take(layout: Path, name: str, tag: str, origin: str, store: Store) -> Image:
    index = json.loads((layout / "index.json").read_text())
    digest = index["manifests"][0]["digest"]
    blobs = layout / "blobs" / "sha256"
    content = (blobs / digest.removeprefix("sha256:")).read_bytes()
    manifest = json.loads(content)
    parts = dict.fromkeys([manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])])
    for part in (*parts, digest):
        # skopeo has compared each blob with its digest.
        (blobs / part.removeprefix("sha256:")).replace(store.blob_path(part))
    image = Image(name, tag, digest, tuple(parts), origin)
    store.remember_image(image, len(content))
    return image
