"""The photo that the demonstration sends: NASA's portrait of Eileen Collins, public domain, from scikit-image."""

from __future__ import annotations

import importlib.util
import secrets
from pathlib import Path

from PIL import Image

from geokube_lab.demo.road import BUILD


def photo() -> Path:
    """Give the path of the photo as a JPEG; made once.

    The file is read where scikit-image keeps it, without importing the package.
    """
    target = BUILD / "photo.jpg"
    if not target.exists():
        found = importlib.util.find_spec("skimage")
        if found is None or found.origin is None:
            raise RuntimeError("scikit-image is not installed: run make setup")
        source = Path(found.origin).parent / "data" / "astronaut.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".part")
        Image.open(source).convert("RGB").save(unfinished, format="JPEG", quality=90)
        unfinished.rename(target)
    return target


def fresh(picture: Path, folder: Path) -> Path:
    """Copy a JPEG with a comment of its own, so that no store or cache has its painting yet."""
    comment = secrets.token_hex(16).encode()
    data = picture.read_bytes()
    target = folder / "fresh.jpg"
    target.write_bytes(data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:])
    return target
