"""The setting GEOKUBE_SOURCES."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geokube_lab.errors import LabError
from geokube_lab.sources.catalogue import SOURCES, Source

SETTING = "GEOKUBE_SOURCES"
MODES = ("auto", "internet", "packages")


@dataclass(frozen=True)
class Mode:
    """What GEOKUBE_SOURCES asks for: one of MODES for all, and for single sources by key."""

    overall: str
    single: Mapping[str, str]

    def of(self, source: Source) -> str:
        """The mode of one source."""
        return self.single.get(source.key, self.overall)

    def __str__(self) -> str:
        return ",".join([self.overall, *(f"{key}={mode}" for key, mode in self.single.items())])


def read_mode(text: str, sources: Sequence[Source] = SOURCES) -> Mode:
    """The mode in a value of GEOKUBE_SOURCES; LabError when it is none."""
    overall, single = "auto", {}
    keys = [source.key for source in sources if source.key]
    for word in text.replace(",", " ").split():
        key, equals, mode = word.rpartition("=")
        if mode not in MODES or (equals and key not in keys):
            raise LabError(
                f"{SETTING} has {word!r}: set it to one of {', '.join(MODES)}, or leave it out for auto; for a single "
                f"source add for example kubespray=packages (the sources are {', '.join(keys)})"
            )
        if equals:
            single[key] = mode
        else:
            overall = mode
    return Mode(overall, single)


def mode_from_environment() -> Mode:
    """The mode that GEOKUBE_SOURCES asks for; LabError when it is none."""
    return read_mode(os.environ.get(SETTING, ""))
