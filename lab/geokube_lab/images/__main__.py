"""`python -m geokube_lab.images build|push [NAME...]`, `list`: the lab's images, from recipes."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from geokube_lab.errors import LabError
from geokube_lab.images import Image, Store, recipes, upstream
from geokube_lab.images.registry import RegistryFolder

REGISTRY = Path("/var/lib/geokube-lab/registry")


@dataclass(frozen=True)
class Recipe:
    """A module that builds one image, unless the machine reaches the registry of its makers."""

    reference: str
    module: ModuleType

    def build(self) -> Image:
        origin = upstream.wanted(self.module.NAME)
        if origin is not None:
            return upstream.copy_image(origin.registry, self.module.NAME, self.module.TAG)
        image: Image = self.module.build()
        return image


def load_recipes() -> list[Recipe]:
    """Every recipe, by reference; a module without NAME is what recipes share."""
    found = []
    for entry in pkgutil.iter_modules(recipes.__path__, f"{recipes.__name__}."):
        module = importlib.import_module(entry.name)
        if hasattr(module, "NAME"):
            found.append(Recipe(f"{module.NAME}:{module.TAG}", module))
    return sorted(found, key=lambda recipe: recipe.reference)


def choose(names: list[str]) -> list[Recipe]:
    """The recipes whose image name, or its last part, is among the names; all of them for no name."""
    known = load_recipes()
    if not names:
        return known
    chosen = []
    for name in names:
        hits = [r for r in known if name in (r.module.NAME, r.module.NAME.rpartition("/")[2], r.reference)]
        if not hits:
            raise LabError(f"{name!r} is no image of the lab: one of {', '.join(r.reference for r in known)}")
        chosen += hits
    return chosen


def export(recipe: Recipe, store: Store, folder: Path) -> None:
    """Build an image of the newest Debian packages, describe it and write both as files."""
    from geokube_lab.images import export, sbom

    if not hasattr(recipe.module, "published_model"):
        raise LabError(f"{recipe.reference} is an image of the lab's alone: only the service's is exported")
    image: Image = recipe.module.build(refresh=True)
    document = sbom.describe(image, store, recipe.module.published_model())
    done = export.export(image, document, folder, store)
    print(f"image    {image.reference}@{image.digest}")
    print(f"size     {done.compressed_bytes / 1e6:.1f} MB compressed")
    print(f"archive  {done.archive}")
    print(f"layout   {done.layout}")
    print(f"SBOM     {done.sbom}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.images", description=__doc__)
    parser.add_argument("command", choices=["build", "push", "list", "export"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--registry", type=Path, default=REGISTRY, help="storage folder of the registry")
    parser.add_argument("--into", type=Path, default=Path("build/image"), help="folder of exported files")
    arguments = parser.parse_args()
    store, registry = Store(), RegistryFolder(arguments.registry)
    try:
        chosen = choose(arguments.names)
        if arguments.command == "list":
            known = {image.reference: image for image in store.images()}
            for recipe in chosen:
                image = known.get(recipe.reference)
                state = "not built" if image is None else "pushed" if registry.holds(image) else "built"
                print(f"{recipe.reference:45} {state:10} {image.digest if image else ''}")
            return 0
        store.sweep()
        if arguments.command == "export":
            for recipe in chosen:
                export(recipe, store, arguments.into)
            return 0
        for recipe in chosen:
            started = time.monotonic()
            image = recipe.build()
            done = "built"
            if arguments.command == "push":
                done = "pushed" if registry.push(image, store) else "in the registry already"
            print(f"{recipe.reference}: {done} ({time.monotonic() - started:.1f} s)", file=sys.stderr, flush=True)
    except (LabError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
