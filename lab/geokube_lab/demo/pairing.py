"""A clone's cluster state and the lab's machines belong together: state of other machines would mislead every role."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from geokube_lab import paths
from geokube_lab.demo.road import INVENTORY, ROOT

STATE = INVENTORY / ".geokube"
MACHINES_MARK = paths.MACHINES / ".pair"
STATE_MARK = STATE / ".pair"


def read(mark: Path) -> str:
    """Give the mark's text, empty where there is none."""
    return mark.read_text().strip() if mark.exists() else ""


def pair() -> None:
    """Start both anew unless they carry the same mark."""
    machines = read(MACHINES_MARK)
    if machines and machines == read(STATE_MARK):
        return
    if paths.MACHINES.exists() and any(paths.MACHINES.iterdir()):
        print("the machines that stand are not of this clone's cluster: they are taken down", flush=True)
        subprocess.run((str(ROOT / "lab" / "lab"), "down"), check=True)
    if STATE.exists():
        print(f"the state in {STATE} is of machines that are gone: it is removed", flush=True)
        shutil.rmtree(STATE)
    mark = secrets.token_hex(8)
    for path in (STATE_MARK, MACHINES_MARK):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(mark + "\n")


if __name__ == "__main__":
    pair()
    sys.exit(0)
