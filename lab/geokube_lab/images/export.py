"""An image of the store as files to take along: a layout with its SBOM attached, and an archive to load."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geokube_lab.images.build import LAYER_TYPE, MANIFEST_TYPE
from geokube_lab.images.sbom import MEDIA_TYPE
from geokube_lab.images.store import REFERENCE, Image, Store, write_atomically

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True)
class Exported:
    """Where the files are; `compressed_bytes` is what a node pulls."""

    layout: Path
    archive: Path
    sbom: Path
    compressed_bytes: int


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _descriptor(image: Image, store: Store) -> dict[str, Any]:
    size = store.blob_path(image.digest).stat().st_size
    annotations = {REFERENCE: image.reference}
    return {"mediaType": MANIFEST_TYPE, "digest": image.digest, "size": size, "annotations": annotations}


def attach(image: Image, document: bytes, store: Store) -> tuple[dict[str, Any], list[str]]:
    """Put the SBOM into the store as an artifact that refers to the image; its descriptor and blobs.

    https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md#guidelines-for-artifact-usage
    """
    subject = {key: value for key, value in _descriptor(image, store).items() if key != "annotations"}
    empty, content = store.put(b"{}"), store.put(document)
    title = {"org.opencontainers.image.title": f"{image.name.rpartition('/')[2]}-{image.tag}.cdx.json"}
    manifest = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": MEDIA_TYPE,
            "config": {"mediaType": EMPTY_TYPE, "digest": empty, "size": 2},
            "layers": [{"mediaType": MEDIA_TYPE, "digest": content, "size": len(document), "annotations": title}],
            "subject": subject,
        }
    )
    digest = store.put(manifest)
    descriptor = {"mediaType": MANIFEST_TYPE, "artifactType": MEDIA_TYPE, "digest": digest, "size": len(manifest)}
    return descriptor, [empty, content, digest]


def export(image: Image, document: bytes, folder: Path, store: Store) -> Exported:
    """Write `<name>-<tag>/` (OCI layout), `.tar` (OCI archive, for docker load too) and `.cdx.json` into a folder."""
    stem = f"{image.name.rpartition('/')[2]}-{image.tag}"
    layout, archive, sbom = (folder / name for name in (stem, f"{stem}.tar", f"{stem}.cdx.json"))
    artifact, blobs = attach(image, document, store)
    of_image = [image.digest, *image.blobs]
    _write_layout(layout, [_descriptor(image, store), artifact], [*of_image, *blobs], store)
    _write_archive(archive, image, of_image, store)
    write_atomically(sbom, document)
    manifest = json.loads(store.blob_path(image.digest).read_bytes())
    layers = [layer["size"] for layer in manifest["layers"] if layer["mediaType"] == LAYER_TYPE]
    return Exported(layout, archive, sbom, sum(layers))


def _write_layout(layout: Path, manifests: list[dict[str, Any]], blobs: list[str], store: Store) -> None:
    shutil.rmtree(layout, ignore_errors=True)
    target = layout / "blobs" / "sha256"
    target.mkdir(parents=True)
    for digest in blobs:
        source = store.blob_path(digest)
        try:
            (target / source.name).hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target / source.name)
    (layout / "oci-layout").write_bytes(LAYOUT)
    (layout / "index.json").write_bytes(_canonical({"schemaVersion": 2, "manifests": manifests}))


def _write_archive(path: Path, image: Image, blobs: list[str], store: Store) -> None:
    manifest = json.loads(store.blob_path(image.digest).read_bytes())
    inside = [f"blobs/sha256/{layer['digest'].removeprefix('sha256:')}" for layer in manifest["layers"]]
    config = f"blobs/sha256/{manifest['config']['digest'].removeprefix('sha256:')}"
    # The second description is for engines that know archives of docker save only.
    files: dict[str, bytes | Path] = {
        "oci-layout": LAYOUT,
        "index.json": _canonical({"schemaVersion": 2, "manifests": [_descriptor(image, store)]}),
        "manifest.json": _canonical([{"Config": config, "RepoTags": [image.reference], "Layers": inside}]),
        **{f"blobs/sha256/{store.blob_path(digest).name}": store.blob_path(digest) for digest in blobs},
    }
    temporary = path.with_name(f".{path.name}")
    with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            content = files[name]
            header = tarfile.TarInfo(name)
            header.size = len(content) if isinstance(content, bytes) else content.stat().st_size
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
                archive.addfile(header, file)
    temporary.replace(path)
