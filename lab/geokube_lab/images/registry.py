"""Push into a registry's storage folder, as the distribution registry (Debian's docker-registry) lays it out.

The lab's registries read one shared folder: writing there needs no running registry, copies nothing that is
already there, and every file appears whole. Layout: the v2 paths of github.com/distribution/distribution,
registry/storage/paths.go.
"""

from __future__ import annotations

from pathlib import Path

from geokube_lab.images.store import Image, Store, link_atomically, write_atomically


class RegistryFolder:
    """The storage folder (`rootdirectory`) of a registry."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "docker" / "registry" / "v2"

    def _blob(self, digest: str) -> Path:
        hexadecimal = digest.removeprefix("sha256:")
        return self.root / "blobs" / "sha256" / hexadecimal[:2] / hexadecimal / "data"

    def _link(self, name: str, *parts: str) -> Path:
        return self.root.joinpath("repositories", name, *parts, "link")

    def holds(self, image: Image) -> bool:
        """Whether the image's tag is here, points to it, and all of its blobs are here."""
        try:
            tagged = self._link(image.name, "_manifests", "tags", image.tag, "current").read_text()
        except OSError:
            return False
        return tagged == image.digest and all(self._blob(blob).exists() for blob in (*image.blobs, image.digest))

    def push(self, image: Image, store: Store) -> bool:
        """Bring an image of the store here, its tag last; False when it was here already."""
        if self.holds(image):
            return False
        for digest in (*image.blobs, image.digest):
            self._put_blob(digest, store)
        for digest in image.blobs:
            self._put_link(digest, image.name, "_layers", "sha256", digest.removeprefix("sha256:"))
        manifest = image.digest.removeprefix("sha256:")
        self._put_link(image.digest, image.name, "_manifests", "revisions", "sha256", manifest)
        self._put_link(image.digest, image.name, "_manifests", "tags", image.tag, "index", "sha256", manifest)
        self._put_link(image.digest, image.name, "_manifests", "tags", image.tag, "current")
        return True

    def _put_link(self, digest: str, name: str, *parts: str) -> None:
        write_atomically(self._link(name, *parts), digest.encode())

    def _put_blob(self, digest: str, store: Store) -> None:
        target, source = self._blob(digest), store.blob_path(digest)
        if target.exists() and target.stat().st_size == source.stat().st_size:
            return
        link_atomically(source, target)
