# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The environment of the painting benchmark: the service's packages, and those it is compared with. Made on first use.

PyTorch needs 6 GB on disk; it is left out, with the reason shown, when it cannot be had or GEOKUBE_BENCH_TORCH is 0.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".venv-bench"
PYTHON = FOLDER / "bin" / "python"
PLAIN = HERE / "requirements-painting.lock"
WITH_TORCH = HERE / "requirements-painting-torch.lock"
TORCH_GIGABYTES = 12
#: Tells the benchmark why there is no torch.
REASON = "GEOKUBE_BENCH_TORCH_LEFT_OUT"


def prepare() -> dict[str, str]:
    """Make the environment when it is not there; give the variables that the benchmark needs to run in it.

    SystemExit when even the packages without torch cannot be installed.
    """
    variables = {"PYTHONPATH": str(ROOT / "apps" / "style_transfer" / "src"), "ORT_DISABLE_TELEMETRY": "1"}
    if _installed(WITH_TORCH):
        return variables
    reason = _reason_against_torch() or _install(WITH_TORCH)
    if reason is None:
        return variables
    if not _installed(PLAIN):
        failure = _install(PLAIN)
        if failure is not None:
            raise SystemExit(f"the benchmark's packages cannot be installed: {failure}")
    return {**variables, REASON: reason}


def _reason_against_torch() -> str | None:
    if os.environ.get("GEOKUBE_BENCH_TORCH") == "0":
        return "GEOKUBE_BENCH_TORCH is 0"
    free = shutil.disk_usage(ROOT).free / 1e9
    return f"{free:.0f} GB are free, {TORCH_GIGABYTES} are needed" if free < TORCH_GIGABYTES else None


def _stamp(lock: Path) -> Path:
    return FOLDER / f".{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"


def _installed(lock: Path) -> bool:
    return _stamp(lock).exists()


def _install(lock: Path) -> str | None:
    """Install a lock's packages; give the last line of what went wrong, or None."""
    print(f"installing {lock.name} into {FOLDER.name}", flush=True)
    uv = str(ROOT / ".venv" / "bin" / "uv")
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", str(FOLDER)],
        [uv, "pip", "install", "-q", "--no-cache", "--python", str(PYTHON), "-r", str(lock)],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return next(reversed(done.stderr.strip().splitlines()), f"{command[0]} ended with {done.returncode}")
    for old in FOLDER.glob(".requirements-*"):
        old.unlink()
    _stamp(lock).touch()
    return None
