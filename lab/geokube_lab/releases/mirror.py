"""Bring what a listing names to this machine, and from there to the lab's file server and registry."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from geokube_lab.errors import LabError
from geokube_lab.images import Image, Store, upstream
from geokube_lab.images.registry import RegistryFolder
from geokube_lab.images.store import link_atomically
from geokube_lab.releases.download import Patience, Report, download
from geokube_lab.releases.listing import ReleaseFile, ReleaseImage, directory

ORIGIN = "https://"
AT_ONCE = 4


def kept(file: ReleaseFile) -> Path:
    """Where a release file is kept on this machine; its place names what it holds."""
    return directory() / "files" / file.sha256 / Path(file.path).name


def fetch_files(files: Sequence[ReleaseFile], report: Report, origin: str, patience: Patience) -> int:
    """Download what is not here, some at once; how many that were. LabError names all that cannot be had.

    `origin` is put before a file's path: `https://`, or the URL of a server that has releases under these paths.
    """

    def one(file: ReleaseFile) -> bool | LabError:
        try:
            return download(origin + file.path, file.sha256, kept(file), report, patience)
        except LabError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(one, files))
    answers = zip(files, results, strict=True)
    failed = [f"{file.name}: {answer}" for file, answer in answers if isinstance(answer, LabError)]
    if failed:
        raise LabError(
            f"{len(failed)} of {len(files)} release files cannot be had:\n" + "\n".join(f"  {line}" for line in failed)
        )
    return sum(result is True for result in results)


def fetch_images(images: Sequence[ReleaseImage], store: Store) -> list[Image]:
    """Copy the images that are not in the store; all of them."""
    return [upstream.copy_image(image.registry, image.name, image.tag, store) for image in images]


def publish_files(files: Sequence[ReleaseFile], goal: Path) -> list[Path]:
    """Link the files below the file server's folder, at their paths; those that were not there."""
    written = []
    for file in files:
        source, target = kept(file), goal / file.path
        if not source.exists():
            raise LabError(f"{file.name} was not downloaded: run 'python -m geokube_lab.releases fetch'")
        if target.exists() and (target.samefile(source) or target.read_bytes() == source.read_bytes()):
            continue
        link_atomically(source, target)
        written.append(target)
    return written


def publish_images(images: Sequence[Image], store: Store, registry: RegistryFolder) -> int:
    """Push the images into the registry's folder; how many were not there."""
    return sum(registry.push(image, store) for image in images)
