"""Where a network in an image comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedModel:
    """A network as published: its file in a release of a PyPI package, and the file's SHA-256."""

    file: str
    package: str
    release: str
    sha256: str
