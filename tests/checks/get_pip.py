"""Stand in for the downloaded get-pip script: the interpreter's own pip, then what was asked for."""

from __future__ import annotations

import subprocess
import sys

# Options of the real script that pip itself does not know.
OWN_OPTIONS = {"--no-setuptools", "--no-wheel", "--disable-pip-version-check"}

subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True)
arguments = [argument for argument in sys.argv[1:] if argument not in OWN_OPTIONS]
if arguments:
    subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True)
