"""What the recipes of the one program share: a layer with it, and one with the names by which it acts."""

from __future__ import annotations

from geokube_lab.binaries import program, target
from geokube_lab.images import Layer, Symlink, files_layer

PROGRAM = "/usr/local/bin/kubernetes"


def program_layer() -> Layer:
    """The program alone, to be the lowest layer of every image that has it: a node then unpacks it once."""
    return files_layer({PROGRAM: program(target("kubernetes"))})


def names_layer(*names: str) -> Layer:
    """Symbolic links by which the program acts as these."""
    return files_layer({f"/usr/local/bin/{name}": Symlink("kubernetes") for name in names})
