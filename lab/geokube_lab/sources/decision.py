"""Decide what is used, and keep the decision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from geokube_lab import paths
from geokube_lab.errors import LabError
from geokube_lab.images.store import write_atomically
from geokube_lab.sources.catalogue import SOURCES, Source
from geokube_lab.sources.mode import SETTING, Mode
from geokube_lab.sources.probe import probe

RECORD = paths.RUN / "sources.json"
KEPT = "; kept while the lab is up, lab/lab down ends that"


@dataclass(frozen=True)
class Finding:
    """What was found out about a source: `used` says in words what the demonstration takes."""

    name: str
    url: str
    reachable: bool
    detail: str
    used: str
    stand_in: bool


def decide(mode: Mode, sources: Sequence[Source] = SOURCES, kept: Mapping[str, Finding] | None = None) -> list[Finding]:
    """What is used for each source in this mode; only what is `auto` asks the network.

    `kept` are earlier findings, by name, that stand for what is `auto`. LabError when a source is wanted by hand that
    needs another which is not there.
    """
    kept = kept or {}
    asked = [source for source in sources if mode.of(source) == "auto" and source.name not in kept]
    heard = probe(asked)
    for source in sources:
        if mode.of(source) != "auto":
            heard[source.name] = (mode.of(source) == "internet", f"{SETTING}={mode}")
    reached = {name: there for name, (there, _) in heard.items()}
    reached |= {name: finding.reachable for name, finding in kept.items() if name not in reached}
    findings = []
    for source in sources:
        if not source.url:
            findings.append(Finding(source.name, "", False, "always stood in for", source.stand_in, True))
            continue
        if source.name not in heard:
            findings.append(replace(kept[source.name], detail=kept[source.name].detail.removesuffix(KEPT) + KEPT))
            continue
        reachable, detail = heard[source.name]
        missing = [name for name in _needs(source, sources) if not reached[name]]
        if reachable and missing:
            if mode.of(source) == "internet":
                raise LabError(
                    f"{SETTING}={mode} wants {source.name} from the internet, which needs {', '.join(missing)} from "
                    "there too: want these as well, or leave it out"
                )
            detail += f", but it is of no use without {', '.join(missing)}"
        real = reachable and not missing
        findings.append(
            Finding(source.name, source.url, reachable, detail, source.real if real else source.stand_in, not real)
        )
    return findings


def _needs(source: Source, sources: Sequence[Source]) -> list[str]:
    """The names of all that a source needs, at first or at second hand; not its own."""
    by_name = {one.name: one for one in sources}
    found: list[str] = []
    waiting = list(source.needs)
    while waiting:
        name = waiting.pop()
        if name != source.name and name not in found:
            found.append(name)
            waiting += by_name[name].needs
    return found


def kept_findings(path: Path = RECORD, standing: Path = paths.WAN_STATE) -> dict[str, Finding]:
    """The recorded findings, by name, while a lab stands that was made with them; else none.

    A probe that finds another thing must not turn a cluster that is there into another one.
    """
    if not standing.exists():
        return {}
    try:
        recorded = json.loads(path.read_text())["sources"]
        findings = [Finding(**{field.name: one[field.name] for field in fields(Finding)}) for one in recorded]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {finding.name: finding for finding in findings if finding.url}


def record(mode: Mode, findings: Sequence[Finding], path: Path = RECORD) -> None:
    """Keep the findings; `stand_ins` is what the demonstration and the report name at their end."""
    stand_ins = [{"name": finding.name, "used": finding.used} for finding in findings if finding.stand_in]
    content = {"version": 1, "mode": str(mode), "sources": [asdict(f) for f in findings], "stand_ins": stand_ins}
    write_atomically(path, json.dumps(content, indent=1).encode())


def real(name: str, path: Path = RECORD) -> bool:
    """Whether the recorded finding is to use the real source of this name; nothing recorded means no."""
    try:
        recorded = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return any(source["name"] == name and not source["stand_in"] for source in recorded["sources"])
