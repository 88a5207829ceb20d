"""Run every benchmark of this folder, one after the other; each prints a table of its own.

`python tests/bench/run.py` runs all, `python tests/bench/run.py traffic` only those named.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import painting_environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = str(ROOT / ".venv" / "bin" / "python")
SERVICE = str(ROOT / "apps" / "style_transfer" / ".venv" / "bin" / "python")
BENCHMARKS = {
    "inventory": PYTHON,
    "traffic": PYTHON,
    "style_transfer": str(painting_environment.PYTHON),
    "load": SERVICE,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; give the first exit code that is not 0."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    codes = []
    for name, python in BENCHMARKS.items():
        script = HERE / f"{name}.py"
        if (names and name not in names) or not script.exists():
            continue
        print(f"\n=== {name}", flush=True)
        own = painting_environment.prepare() if name == "style_transfer" else {}
        codes.append(subprocess.run((python, str(script)), cwd=ROOT, env={**os.environ, **own}, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
