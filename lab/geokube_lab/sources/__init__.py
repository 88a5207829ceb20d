"""Which sources this machine reaches, and what is used in place of those that it does not."""

from __future__ import annotations

from geokube_lab.sources.catalogue import (
    DOCKER_HUB_IMAGES,
    GITHUB_FILES,
    KUBERNETES_FILES,
    KUBERNETES_IMAGES,
    KUBESPRAY,
    SOURCES,
    Source,
)
from geokube_lab.sources.decision import RECORD, Finding, decide, kept_findings, real, record
from geokube_lab.sources.mode import MODES, SETTING, Mode, mode_from_environment, read_mode
from geokube_lab.sources.probe import probe

__all__ = [
    "DOCKER_HUB_IMAGES",
    "GITHUB_FILES",
    "KUBERNETES_FILES",
    "KUBERNETES_IMAGES",
    "KUBESPRAY",
    "MODES",
    "RECORD",
    "SETTING",
    "SOURCES",
    "Finding",
    "Mode",
    "Source",
    "decide",
    "kept_findings",
    "mode_from_environment",
    "probe",
    "read_mode",
    "real",
    "record",
]
