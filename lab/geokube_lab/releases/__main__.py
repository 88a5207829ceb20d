"""`python -m geokube_lab.releases list|fetch|path NAME|publish DIRECTORY`: what the real Kubespray lets nodes download.

Does nothing where the stand-in for Kubespray is used. GEOKUBE_RELEASES_URL names a server that has the releases under
the paths that `list` prints, in the place of their own.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from geokube_lab import sources
from geokube_lab.errors import LabError
from geokube_lab.images import Store
from geokube_lab.images.registry import RegistryFolder
from geokube_lab.paths import REGISTRY
from geokube_lab.releases import Listing, listing, mirror
from geokube_lab.releases.download import Patience

SETTING = "GEOKUBE_RELEASES_URL"


class Progress:
    """A line every 5 seconds at most."""

    def __init__(self) -> None:
        self.spoken = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now - self.spoken >= 5:
            self.spoken = now
            print(text, flush=True)


def origin() -> str:
    """What is put before a release file's path."""
    said = os.environ.get(SETTING, "")
    if said and not said.startswith(("https://", "http://")):
        raise LabError(f"{SETTING} is {said!r}: it takes a URL that begins https:// or http://")
    return said.rstrip("/") + "/" if said else mirror.ORIGIN


def program(wanted: Listing, name: str) -> Path:
    """Where a downloaded file of this name is; it may be run."""
    for file in wanted.files:
        if file.name == name and (path := mirror.kept(file)).exists():
            path.chmod(0o755)
            return path
    raise LabError(f"{name} is not among the files that were downloaded: run 'python -m geokube_lab.releases fetch'")


def run(arguments: argparse.Namespace) -> None:
    """Do what is asked; LabError says why not."""
    wanted = listing()
    if arguments.command == "list":
        for file in wanted.files:
            print(f"{file.sha256}  {file.path}")
        for image in wanted.images:
            print(f"{image.registry}/{image.name}:{image.tag}")
        return
    if arguments.command == "path":
        print(program(wanted, arguments.name))
        return
    store = Store()
    if arguments.command == "fetch":
        new = mirror.fetch_files(wanted.files, Progress(), origin(), Patience())
        images = mirror.fetch_images(wanted.images, store)
        print(f"{len(wanted.files)} release files ({new} new) and {len(images)} images are here")
        return
    written = mirror.publish_files(wanted.files, arguments.directory)
    # All are in the store: nothing is copied now.
    pushed = mirror.publish_images(mirror.fetch_images(wanted.images, store), store, RegistryFolder(arguments.registry))
    print(f"{len(written)} release files and {pushed} images were not in the lab before")


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.releases", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="print checksums and paths of the files, and the images")
    commands.add_parser("fetch", help="download what is not here")
    path = commands.add_parser("path", help="print where a downloaded program is")
    path.add_argument("name", metavar="NAME")
    publishing = commands.add_parser("publish", help="put the files below a directory and the images into the registry")
    publishing.add_argument("directory", type=Path)
    publishing.add_argument("--registry", type=Path, default=REGISTRY, help="storage folder of the registry")
    arguments = parser.parse_args()
    if arguments.command in ("fetch", "publish") and not sources.real(sources.KUBESPRAY):
        print("the stand-in for Kubespray is used: nothing to download")
        return 0
    try:
        run(arguments)
    except (LabError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nended; what was downloaded so far is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
