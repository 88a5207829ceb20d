"""The stages of the demonstration, and which needs which."""

from __future__ import annotations

import sys
from pathlib import Path

from geokube_lab.stages import Stage

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "inventories" / "lab"
BUILD = ROOT / "build"


def _lab_module(*arguments: str) -> tuple[str, ...]:
    return (str(ROOT / ".venv" / "bin" / "python"), "-m", "geokube_lab", *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"geokube_lab.{name}", *arguments)


def _late_module(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(ROOT / ".venv" / "bin" / "python"), "-m", f"geokube_lab.{name}", *arguments)


def stages(up_only: bool = False) -> list[Stage]:
    """Give the stages up to a cluster that serves, or up to a lab that stands when up_only."""
    script = str(ROOT / "scripts" / "setup.sh")
    prepare = [
        Stage("debian-packages", ("bash", script, "packages")),
        Stage("python-packages", ("bash", script, "python")),
        Stage("sources", _module("sources")),
        Stage("programs", _module("binaries", "build"), needs=("sources",)),
        Stage("machine-template", _late_module("rootfs"), needs=("debian-packages", "python-packages")),
        Stage(
            "images",
            _late_module("images", "build"),
            needs=("programs", "debian-packages", "python-packages"),
        ),
        Stage("lab", _lab_module("up"), needs=("machine-template",)),
        Stage("publish", _late_module("images", "push"), needs=("images", "lab")),
    ]
    if up_only:
        return prepare
    playbook = str(ROOT / ".venv" / "bin" / "ansible-playbook")
    site = (playbook, "-i", str(INVENTORY), str(ROOT / "site.yml"))
    return [
        *prepare,
        Stage(
            "site.yml",
            site,
            needs=("publish",),
            env={"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PYTHONUNBUFFERED": "1"},
            shown=True,
        ),
    ]
