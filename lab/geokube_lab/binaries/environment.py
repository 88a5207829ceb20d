"""The go command's environment."""

from __future__ import annotations

import os

from geokube_lab.paths import cache


def environment() -> dict[str, str]:
    """The go command's environment: static programs, the lab's own caches, go.mod as it is committed."""
    own = {
        "CGO_ENABLED": "0",
        "GOCACHE": str(cache() / "go-build"),
        "GOMODCACHE": str(cache() / "go-mod"),
        "GOFLAGS": "-mod=readonly",
        "GOWORK": "off",
        "GOOS": "linux",
        "GOARCH": "amd64",
    }
    return {**os.environ, **own}
