"""Programs that a machine without release servers compiles from Go modules: Kubernetes, Traefik and their kin."""

from __future__ import annotations

from geokube_lab.binaries.compile import artifact_directory, build, program
from geokube_lab.binaries.publish import publish
from geokube_lab.binaries.targets import (
    KUBERNETES_PROGRAMS,
    KUBERNETES_VERSION,
    TARGETS,
    TRAEFIK_VERSION,
    Target,
    target,
)

__all__ = [
    "KUBERNETES_PROGRAMS",
    "KUBERNETES_VERSION",
    "TARGETS",
    "TRAEFIK_VERSION",
    "Target",
    "artifact_directory",
    "build",
    "program",
    "publish",
    "target",
]
