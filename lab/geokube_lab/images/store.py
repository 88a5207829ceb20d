"""The image store: an OCI image layout in the user's cache that skopeo, umoci and containerd can read as it is.

Blobs are named by what they hold, so that a layer is made and kept once, however many images use it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geokube_lab.paths import cache

cache_directory = cache
REFERENCE = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Layer:
    """One gzip'd tar blob of the store.

    digest and diff_id are `sha256:<hex>` of the compressed and of the plain tar; size is in bytes, compressed.
    """

    digest: str
    diff_id: str
    size: int


@dataclass(frozen=True)
class Image:
    """A finished image of the store: `name` without host, `digest` of its manifest, `origin` if it was copied."""

    name: str
    tag: str
    digest: str
    blobs: tuple[str, ...]
    origin: str = ""

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.tag}"


class Store:
    """An OCI image layout plus a memory of which inputs gave which layer."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or cache() / "images"
        for part in ("blobs/sha256", "layers", "images"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)
        layout = self.directory / "oci-layout"
        if not layout.exists():
            write_atomically(layout, b'{"imageLayoutVersion": "1.0.0"}')

    def sweep(self) -> None:
        """Remove what runs that were killed left half made; what is younger than an hour may be in the making."""
        blobs = self.directory / "blobs" / "sha256"
        for left in (*blobs.glob(".*"), *self.directory.glob(".copy-*")):
            if left.stat().st_mtime > time.time() - 3600:
                continue
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)

    def blob_path(self, digest: str) -> Path:
        return self.directory / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def put(self, content: bytes) -> str:
        """Keep a small blob and give its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if not self.blob_path(digest).exists():
            write_atomically(self.blob_path(digest), content)
        return digest

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Only one process at a time does the work of this name."""
        with (self.directory / "layers" / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def known_layer(self, key: str) -> Layer | None:
        """The layer that was made for this key, if its blob is still here whole."""
        try:
            record = json.loads((self.directory / "layers" / f"{key}.json").read_text())
            layer = Layer(record["digest"], record["diff_id"], record["size"])
            return layer if self.blob_path(layer.digest).stat().st_size == layer.size else None
        except (OSError, ValueError, KeyError):
            return None

    def remember_layer(self, key: str, layer: Layer) -> None:
        write_atomically(self.directory / "layers" / f"{key}.json", json.dumps(asdict(layer)).encode())

    def remember_image(self, image: Image, manifest_size: int) -> None:
        """Record an image under its reference, here and in the layout's index.json."""
        path = self.directory / "images" / f"{image.name.replace('/', '+')}@{image.tag}.json"
        write_atomically(path, json.dumps(asdict(image)).encode())
        with self.locked("index"):
            index_path = self.directory / "index.json"
            index: dict[str, Any] = {"schemaVersion": 2, "manifests": []}
            if index_path.exists():
                index = json.loads(index_path.read_text())
            others = [m for m in index["manifests"] if m["annotations"][REFERENCE] != image.reference]
            entry = {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.digest,
                "size": manifest_size,
                "annotations": {REFERENCE: image.reference},
            }
            index["manifests"] = [*others, entry]
            write_atomically(index_path, json.dumps(index, indent=1).encode())

    def images(self) -> list[Image]:
        """Every image of the store, by reference."""
        records = (json.loads(path.read_text()) for path in (self.directory / "images").glob("*.json"))
        images = (Image(**{**record, "blobs": tuple(record["blobs"])}) for record in records)
        return sorted(images, key=lambda image: image.reference)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a rerun after a kill, sees the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def link_atomically(source: Path, target: Path) -> None:
    """Give a file a second place, where a reader sees the old one or the whole new one.

    A hard link costs nothing; what is on another file system is copied.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        temporary.hardlink_to(source)
    except OSError:
        temporary.write_bytes(source.read_bytes())
    temporary.replace(target)
