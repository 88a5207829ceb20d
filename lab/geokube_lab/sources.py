"""Which sources this machine reaches, and what is used in place of those that it does not.

`python -m geokube_lab.sources` looks, prints its finding for each source and records it for the demonstration and
the report. GEOKUBE_SOURCES=internet or packages decides by hand, without looking; auto (the default) looks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from geokube_lab import paths
from geokube_lab.errors import LabError
from geokube_lab.images.store import write_atomically

RECORD = paths.RUN / "sources.json"
SETTING = "GEOKUBE_SOURCES"
MODES = ("auto", "internet", "packages")
REQUEST_SECONDS = 3.0
ALL_SECONDS = 5.0


@dataclass(frozen=True)
class Source:
    """A thing that the demonstration needs, where it is really had from, and what takes its place.

    url is asked without credentials; the statuses in `welcome` say that the source is there (a container registry
    answers 401 until one logs in). An empty url: the lab always uses the stand-in, wherever it runs.
    """

    name: str
    real: str
    stand_in: str
    url: str = ""
    welcome: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Finding:
    """What was found out about a source: `used` says in words what the demonstration takes."""

    name: str
    url: str
    reachable: bool
    detail: str
    used: str
    stand_in: bool


SOURCES = (
    Source(
        "Kubernetes images",
        "the images of registry.k8s.io, copied by skopeo",
        "images of the same versions, compiled from their Go modules into one program",
        "https://registry.k8s.io/v2/",
        (200, 401),
    ),
    Source(
        "Docker Hub images",
        "the images of Docker Hub (flannel, Traefik, CockroachDB), copied by skopeo",
        "flannel and Traefik compiled from their Go modules; PostgreSQL behind CockroachDB's interface",
        "https://registry-1.docker.io/v2/",
        (200, 401),
    ),
    # The nodes of the lab reach nothing but the lab's file server.
    Source(
        "Kubernetes binaries on the nodes",
        "",
        "kubelet, kubeadm, kubectl and etcd of the same versions, compiled from their Go modules",
    ),
    Source("Kubespray", "", "lab/standins/kubespray: the same entry points, inventory and variables, over kubeadm"),
    Source("Yandex Cloud, DigitalOcean, Google Cloud", "", "emulators of their APIs (lab/geokube_lab/clouds)"),
    Source("AWS", "", "moto, an emulator of EC2"),
    Source("Cloudflare", "", "an emulator of its API with an edge in each region (lab/geokube_lab/edge)"),
    Source("the network between continents", "", "delays and losses added between network namespaces"),
)


def _ask(source: Source, seconds: float) -> tuple[bool, str]:
    request = urllib.request.Request(source.url, method="GET", headers={"User-Agent": "geokube-lab"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError) as error:
        return False, str(getattr(error, "reason", error)) or type(error).__name__
    return status in source.welcome, f"HTTP {status}"


def probe(
    sources: Sequence[Source], *, request_seconds: float = REQUEST_SECONDS, all_seconds: float = ALL_SECONDS
) -> dict[str, tuple[bool, str]]:
    """Ask all sources that have a url at the same time; by name, whether each is there and what was heard.

    Ends after `all_seconds` even where a name server or a firewall never answers.
    """
    answers: dict[str, tuple[bool, str]] = {}

    def ask(source: Source) -> None:
        answers[source.name] = _ask(source, request_seconds)

    threads = []
    for source in (one for one in sources if one.url):
        # A daemon: a look-up that hangs in the C library cannot be ended, but need not be waited for.
        thread = threading.Thread(target=ask, args=(source,), daemon=True)
        thread.start()
        threads.append(thread)
    deadline = time.monotonic() + all_seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    silent = (False, f"no answer in {all_seconds:g} s")
    return {source.name: answers.get(source.name, silent) for source in sources if source.url}


def mode_from_environment() -> str:
    """The mode that GEOKUBE_SOURCES asks for; LabError when it is none."""
    mode = os.environ.get(SETTING) or "auto"
    if mode not in MODES:
        raise LabError(f"{SETTING} is {mode!r}: set it to one of {', '.join(MODES)}, or leave it out for auto")
    return mode


def decide(mode: str, sources: Sequence[Source] = SOURCES) -> list[Finding]:
    """What is used for each source in this mode; only `auto` asks the network."""
    heard = probe(sources) if mode == "auto" else {}
    findings = []
    for source in sources:
        if not source.url:
            findings.append(Finding(source.name, "", False, "always stood in for", source.stand_in, True))
            continue
        reachable, detail = heard.get(source.name, (mode == "internet", f"{SETTING}={mode}"))
        used = source.real if reachable else source.stand_in
        findings.append(Finding(source.name, source.url, reachable, detail, used, not reachable))
    return findings


def record(mode: str, findings: Sequence[Finding], path: Path = RECORD) -> None:
    """Keep the findings; `stand_ins` is what the demonstration and the report name at their end."""
    stand_ins = [{"name": finding.name, "used": finding.used} for finding in findings if finding.stand_in]
    content = {"version": 1, "mode": mode, "sources": [asdict(f) for f in findings], "stand_ins": stand_ins}
    write_atomically(path, json.dumps(content, indent=1).encode())


def real(name: str, path: Path = RECORD) -> bool:
    """Whether the recorded finding is to use the real source of this name; nothing recorded means no."""
    try:
        recorded = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return any(source["name"] == name and not source["stand_in"] for source in recorded["sources"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="geokube_lab.sources", description=__doc__)
    parser.add_argument("--record", type=Path, default=RECORD, help="where the finding is kept")
    arguments = parser.parse_args()
    try:
        mode = mode_from_environment()
        findings = decide(mode)
        record(mode, findings, arguments.record)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {arguments.record} cannot be written: {error.strerror}; be root, or give --record", file=sys.stderr
        )
        return 1
    for finding in findings:
        where = f"{finding.url}: {'reached' if finding.reachable else 'not reached'} ({finding.detail})"
        print(f"{finding.name}: {where if finding.url else finding.detail}\n    uses {finding.used}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
