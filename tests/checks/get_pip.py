"""Stand in for the downloaded get-pip script: the interpreter's own pip, then what was asked for."""

from __future__ import annotations

import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True)
arguments = [argument for argument in sys.argv[1:] if argument != "--disable-pip-version-check"]
if arguments:
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True)
