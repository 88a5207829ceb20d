"""The stages of the demonstration, and which needs which."""

from __future__ import annotations

import sys
from pathlib import Path

from geokube_lab.stages import Stage

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventories" / "lab"
BUILD = ROOT / "build"


FILES = "/var/lib/geokube-lab/files"
APPLICATION_IMAGES = ("style-transfer", "cockroachdb/cockroach")
VENV = str(ROOT / ".venv" / "bin" / "python")


def _early(name: str, *arguments: str) -> tuple[str, ...]:
    """Give a module's command that needs nothing installed."""
    return (sys.executable, "-m", f"geokube_lab.{name}", *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    """Give a module's command in the project's virtual environment."""
    return (VENV, "-m", f"geokube_lab.{name}", *arguments)


def preparation() -> list[Stage]:
    """Give the stages that install, compile and build; most of them run side by side."""
    script = str(ROOT / "scripts" / "setup.sh")
    installed = ("debian-packages", "python-packages")
    template = "from geokube_lab.rootfs import ensure; ensure(lambda text: print(text, flush=True))"
    return [
        Stage("debian-packages", ("bash", script, "packages")),
        Stage("python-packages", ("bash", script, "python")),
        Stage("pairing", _module("demo.pairing"), needs=("python-packages",)),
        Stage("sources", _module("sources"), needs=("pairing",)),
        Stage("releases", _module("releases", "fetch"), needs=("sources", "debian-packages")),
        Stage("programs", _early("binaries", "build"), needs=("sources",)),
        Stage("machine-template", (VENV, "-c", template), needs=installed),
        Stage("application-images", _module("images", "build", *APPLICATION_IMAGES), needs=installed),
        Stage("images", _module("images", "build"), needs=("programs", "application-images")),
    ]


def lab() -> list[Stage]:
    """Give the stages that bring the lab up; it measures its own links, so nothing else is busy by then."""
    return [
        Stage("lab", (VENV, "-m", "geokube_lab", "up"), needs=("machine-template", "images", "releases")),
        Stage("files", _module("binaries", "publish", FILES), needs=("lab",)),
        Stage("release-files", _module("releases", "publish", FILES), needs=("lab",)),
        Stage("registry", _module("images", "push"), needs=("lab",)),
    ]


def site() -> list[Stage]:
    """Give the playbook's own stage, whose output is shown."""
    playbook = str(ROOT / ".venv" / "bin" / "ansible-playbook")
    return [
        Stage(
            "site.yml",
            (playbook, "-i", str(INVENTORY), str(ROOT / "site.yml")),
            needs=("files", "release-files", "registry"),
            env={"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PYTHONUNBUFFERED": "1"},
            shown=True,
        )
    ]
