"""`python -m geokube_lab.binaries build [NAME...]`, `path NAME`, `publish DIRECTORY`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from geokube_lab import sources
from geokube_lab.binaries import TARGETS, build, program, publish, target
from geokube_lab.errors import LabError


class Progress:
    """One line that changes on a terminal; elsewhere a line for each thing said, progress every 20 seconds."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.spoken = 0.0

    def __call__(self, text: str) -> None:
        if self.terminal:
            print(f"\r\033[K{text[:118]}", end="", file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        if " packages (" in text and now - self.spoken < 20:
            return
        self.spoken = now
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.terminal:
            print(file=sys.stderr)


def needed() -> list[str]:
    """The targets that this machine has to compile; under the stand-in for Kubespray nodes run the first ones."""
    had = {
        "kubernetes": sources.KUBESPRAY,
        "flannel": sources.KUBESPRAY,
        "pause": sources.KUBERNETES_IMAGES,
        "traefik": sources.DOCKER_HUB_IMAGES,
    }
    return [t.name for t in TARGETS if not sources.real(had[t.name])]


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.binaries", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="compile what is not compiled yet")
    building.add_argument("names", nargs="*", metavar="NAME", help=", ".join(t.name for t in TARGETS))
    path = commands.add_parser("path", help="print where a compiled program is")
    path.add_argument("name", metavar="NAME")
    publishing = commands.add_parser("publish", help="put what nodes download below a directory")
    publishing.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            for name in arguments.names or needed():
                progress = Progress()
                build(target(name), progress)
                progress.end()
        elif arguments.command == "path":
            print(program(target(arguments.name)))
        elif sources.real(sources.KUBESPRAY):
            print("nodes have Kubernetes' own release files: nothing of this machine's to publish")
        else:
            for published in publish(arguments.directory):
                print(published)
    except (LabError, KeyError) as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nended; what was compiled so far is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
